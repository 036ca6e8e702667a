"""What pre-training learned, as files: weights as safetensors, what they were learned from as JSON."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, unbroken, whole_folder, write_json
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams

WEIGHTS, DESCRIPTION = "weights.safetensors", "weights.json"
EMBEDDING = "embedding.weight"
STAGE = "`dvc repro best/dvc.yaml:pretrain`, or `python -m pipeline.pretrain ARCHITECTURE` for another than best"


class Learned(NamedTuple):
    """Weights by their names in `Classifier`, and a row of figures an epoch, as `training.callbacks.History` has them.

    The embedding may have more rows than a model, whose ids are then the first: they are in order of frequency.
    """

    weights: dict[str, Tensor]
    history: list[dict[str, float]]


def save(weights: Mapping[str, Tensor], description: Mapping[str, Any], tokens: Path, folder: Path) -> None:
    """Write weights to `folder`, at once or not at all.

    Nothing that a clock said may be among the files: the same weights should be the same folder to DVC.

    Args:
        weights: by their names in `Classifier`; may be none.
        description: how they were learned.
        tokens: folder of the tokenized reviews that they were learned from.
        folder: takes the place of what was there.
    """
    with whole_folder(folder) as partial:
        save_file(dict(weights), partial / WEIGHTS)
        write_json(partial / DESCRIPTION, {**description, "identity": load_identity(tokens)})


def load(model: ModelParams, folder: Path, tokens: Path) -> dict[str, Tensor] | None:
    """The weights that a model starts from, as `training.fit` takes them.

    Args:
        model: None is the answer where it is not `pretrained`.
        folder: what `save` wrote.
        tokens: folder of the tokenized reviews that the model is trained on.

    Raises:
        UserError: there is no such folder, it is broken, it was learned from reviews whose ids mean other words, or its
            weights are not of the model's sizes.
    """
    if not model.pretrained:
        return None
    file = _file(folder)
    with unbroken(folder):
        weights: dict[str, Tensor] = load_file(file)
        learned_from = read_json(folder / DESCRIPTION)["identity"]
    if learned_from != load_identity(tokens):
        raise UserError(f"{folder} was learned from other reviews than {tokens} has now: run {STAGE}")
    if EMBEDDING in weights:
        weights[EMBEDDING] = weights[EMBEDDING][: model.vocab_size].clone()
    own = Classifier(**model.architecture()).state_dict()
    for name, values in weights.items():
        wanted = tuple(own[name].shape) if name in own else "not there"
        if tuple(values.shape) != wanted:
            raise UserError(
                f"{folder}: {name} is {tuple(values.shape)}, in the model {wanted}: "
                f"its sizes in params.yaml are others than when they were learned: run {STAGE}"
            )
    return weights


def digest(model: ModelParams, folder: Path) -> str | None:
    """SHA-256 of the weights that a model starts from; None where it is not `pretrained`.

    Raises:
        UserError: there is no such folder.
    """
    return hashlib.sha256(_file(folder).read_bytes()).hexdigest() if model.pretrained else None


def _file(folder: Path) -> Path:
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} is not there, and the model is pretrained: run {STAGE} (or `dvc pull`)")
    return folder / WEIGHTS
