"""A trained model as files: weights as safetensors, everything else as JSON. Nothing is ever unpickled."""

from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save_file

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, unbroken, write_json
from sentiment_rnn.inference.average import Average
from sentiment_rnn.models import Classifier

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
EARLIER = {"bigram_size": 0, "bigram_buckets": 1}  # what models that were saved before there were bigrams do not name
REFIT = "refit"  # folder in a trained model's, of the same model once validation's labels were learned, too


class SavedModel(NamedTuple):
    """A model in evaluation mode, how it reads a review's ids, and what its logits are divided by."""

    model: Classifier | Average
    encoding: Encoding
    temperature: float


def save(
    model: Classifier | Average,
    architecture: dict[str, Any],
    encoding: Encoding,
    folder: Path,
    temperature: float | None = None,
) -> None:
    """Write a model to `folder`.

    Args:
        model: the classifier, or the average of several.
        architecture: the arguments that it, or each member, was built with.
        encoding: how it reads a review.
        folder: made where it is missing.
        temperature: what its logits are divided by; None: it is not calibrated, and nothing is said of it.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / WEIGHTS)
    description: dict[str, Any] = {"architecture": architecture, "encoding": encoding._asdict()}
    if isinstance(model, Average):
        description["members"] = len(model.members)
    if temperature is not None:
        description["temperature"] = temperature
    write_json(folder / DESCRIPTION, description)


def final(folder: Path) -> Path:
    """Of a trained model's folder the one to be served and tested: that of its refit, where it has one."""
    return folder / REFIT if (folder / REFIT).is_dir() else folder


def load(folder: str | Path) -> SavedModel:
    """Read what `save` wrote.

    Raises:
        UserError: the folder holds no model, or not a whole one.
    """
    folder = Path(folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} holds no trained model: run `dvc repro train` (or `dvc pull`)")
    with unbroken(folder):
        description = read_json(folder / DESCRIPTION)
        architecture = EARLIER | description["architecture"]
        classifiers = [Classifier(**architecture) for _ in range(description.get("members", 1))]
        model = Average(classifiers) if "members" in description else classifiers[0]
        model.load_state_dict(load_file(folder / WEIGHTS))
        encoding, temperature = Encoding(**description["encoding"]), float(description.get("temperature", 1.0))
    return SavedModel(model.eval(), encoding, temperature)
