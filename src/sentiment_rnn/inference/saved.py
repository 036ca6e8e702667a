"""A trained model as files: weights as safetensors, everything else as JSON. Nothing is ever unpickled."""

from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save_file

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.models import Classifier

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"


class SavedModel(NamedTuple):
    """A classifier in evaluation mode and how it reads a review's ids."""

    model: Classifier
    encoding: Encoding


def save(model: Classifier, architecture: dict[str, Any], encoding: Encoding, folder: Path) -> None:
    """Write a model to `folder`.

    Args:
        model: the classifier.
        architecture: the arguments it was built with.
        encoding: how it reads a review.
        folder: made where it is missing.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / WEIGHTS)
    write_json(folder / DESCRIPTION, {"architecture": architecture, "encoding": encoding._asdict()})


def load(folder: str | Path) -> SavedModel:
    """Read what `save` wrote.

    Raises:
        UserError: the folder holds no model.
    """
    folder = Path(folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} holds no trained model: run `dvc repro train` (or `dvc pull`)")
    description = read_json(folder / DESCRIPTION)
    model = Classifier(**description["architecture"])
    model.load_state_dict(load_file(folder / WEIGHTS))
    return SavedModel(model.eval(), Encoding(**description["encoding"]))
