"""Save and load trained models: weights as safetensors, the rest as JSON. Nothing is pickled."""

from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save_file

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, refuse_corrupt_files, write_json
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import Classifier

WEIGHTS, DESCRIPTION = "model.safetensors", "model.json"
REFIT = "refit"  # subfolder: the model trained on train and validation


class SavedModel(NamedTuple):
    """A model in evaluation mode, the encoding of its input, and the temperature that divides its logits."""

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
        model: a classifier or an ensemble.
        architecture: the arguments of `Classifier`, for the model or each member.
        encoding: of the model's input.
        folder: created if it is missing.
        temperature: of the calibrated model; None if it is not calibrated.
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
    """The folder of the model to register and test: the refit model's if there is one, else `folder`."""
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
