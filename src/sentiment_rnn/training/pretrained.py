"""Weights learned before any label is seen, as files: safetensors, and JSON with what they were learned from."""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from safetensors.torch import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_folder, read_json, refuse_corrupt_files, write_json
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams

WEIGHTS, DESCRIPTION = "weights.safetensors", "weights.json"
EMBEDDING = "embedding.weight"
CURE = "run `dvc repro word_vectors` (or `dvc pull`)"


def save(weights: Mapping[str, Tensor], description: Mapping[str, Any], tokens: Path, folder: Path) -> None:
    """Write weights to `folder`, at once or not at all.

    No time and no run id is in the files: the same weights are the same folder to DVC.

    Args:
        weights: by their names in `Classifier`.
        description: how they were learned.
        tokens: folder of the tokenized reviews that they were learned from.
        folder: is replaced.
    """
    with atomic_folder(folder) as partial:
        save_file(dict(weights), partial / WEIGHTS)
        write_json(partial / DESCRIPTION, {**description, "identity": load_identity(tokens)})


def load(model: ModelParams, folder: Path, tokens: Path) -> dict[str, Tensor] | None:
    """The weights that a model starts from, as `training.fit` takes them; None if it has no `word_vectors`.

    The embedding may have more rows than the model: ids are in order of frequency, and the first rows are taken.

    Args:
        model: its parameters.
        folder: written by `save`.
        tokens: folder of the tokenized reviews that the model is trained on.

    Raises:
        UserError: the folder is missing or corrupt, its ids mean other words, or its sizes are not the model's.
    """
    if not model.word_vectors:
        return None
    file = _file(folder)
    with refuse_corrupt_files(folder):
        weights: dict[str, Tensor] = load_file(file)
        learned_from = read_json(folder / DESCRIPTION)["identity"]
    if learned_from != load_identity(tokens):
        raise UserError(f"{folder} was learned from other reviews than {tokens} has now: {CURE}")
    if EMBEDDING in weights:
        weights[EMBEDDING] = weights[EMBEDDING][: model.vocab_size].clone()
    own = Classifier(**model.architecture()).state_dict()
    for name, values in weights.items():
        wanted = tuple(own[name].shape) if name in own else "missing"
        if tuple(values.shape) != wanted:
            raise UserError(
                f"{folder}: {name} is {tuple(values.shape)}, in the model {wanted}: params.yaml changed since: {CURE}"
            )
    return weights


def digest(model: ModelParams, folder: Path) -> str | None:
    """SHA-256 of the weights that a model starts from; None if it has no `word_vectors`.

    Raises:
        UserError: the folder is missing.
    """
    return hashlib.sha256(_file(folder).read_bytes()).hexdigest() if model.word_vectors else None


def _file(folder: Path) -> Path:
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} is missing, and the model starts from it: {CURE}")
    return folder / WEIGHTS
