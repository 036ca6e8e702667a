"""A trained model as files: weights as safetensors, everything else as JSON. Nothing is unpickled."""

from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save_file

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, refuse_corrupt_files, write_json
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import Classifier

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
REFIT = "refit"  # subfolder with the same model trained on validation, too


class SavedModel(NamedTuple):
    """A model in evaluation mode, its encoding, the temperature that its logits are divided by."""

    model: Classifier | Ensemble
    encoding: Encoding
    temperature: float


def save(
    model: Classifier | Ensemble,
    architecture: dict[str, Any],
    encoding: Encoding,
    folder: Path,
    temperature: float | None = None,
) -> None:
    """Write a model to `folder`.

    Args:
        model: a classifier, or an ensemble.
        architecture: the arguments that it, or each member, was built with.
        encoding: of its input.
        folder: created if it is missing.
        temperature: of its logits; None: it is not calibrated.
    """
    folder.mkdir(parents=True, exist_ok=True)
    save_file(model.state_dict(), folder / WEIGHTS)
    description: dict[str, Any] = {"architecture": architecture, "encoding": encoding._asdict()}
    if isinstance(model, Ensemble):
        description["members"] = len(model.members)
    if temperature is not None:
        description["temperature"] = temperature
    write_json(folder / DESCRIPTION, description)


def final(folder: Path) -> Path:
    """The folder of the model to register and test: the refit's, if there is one."""
    return folder / REFIT if (folder / REFIT).is_dir() else folder


def load(folder: str | Path) -> SavedModel:
    """Read a model written by `save`.

    Raises:
        UserError: the folder holds no model, or a corrupt one.
    """
    folder = Path(folder)
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} holds no trained model: run `dvc repro train` (or `dvc pull`)")
    with refuse_corrupt_files(folder):
        description = read_json(folder / DESCRIPTION)
        architecture = description["architecture"]
        classifiers = [Classifier(**architecture) for _ in range(description.get("members", 1))]
        model = Ensemble(classifiers) if "members" in description else classifiers[0]
        model.load_state_dict(load_file(folder / WEIGHTS))
        encoding, temperature = Encoding(**description["encoding"]), float(description.get("temperature", 1.0))
    return SavedModel(model.eval(), encoding, temperature)
