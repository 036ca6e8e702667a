"""Files of pre-trained weights: safetensors, and JSON with the parameters and the data they were learned from."""

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
    """Write weights to `folder`, atomically.

    The files contain no time and no run id, so that equal weights are equal files for DVC.

    Args:
        weights: by name in `Classifier`.
        description: parameters of the training.
        tokens: folder of the tokenized reviews that the weights were learned from.
        folder: replaced as a whole.
    """
    with atomic_folder(folder) as partial:
        save_file(dict(weights), partial / WEIGHTS)
        write_json(partial / DESCRIPTION, {**description, "identity": load_identity(tokens)})


def load(model: ModelParams, folder: Path, tokens: Path) -> dict[str, Tensor] | None:
    """Load the initial weights of a model, for `training.fit`; None if its `word_vectors` is false.

    The embedding may have more rows than the model's: ids are in order of frequency, and the first rows are used.

    Args:
        model: parameters of the model.
        folder: written by `save`.
        tokens: folder of the tokenized reviews on which the model is trained.

    Raises:
        UserError: the folder is missing or corrupt, was learned from other reviews, or has other sizes than the model.
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
    expected = Classifier(**model.architecture()).state_dict()
    for name, values in weights.items():
        shape = tuple(expected[name].shape) if name in expected else "missing"
        if tuple(values.shape) != shape:
            raise UserError(
                f"{folder}: {name} is {tuple(values.shape)}, in the model {shape}: params.yaml changed since: {CURE}"
            )
    return weights


def digest(model: ModelParams, folder: Path) -> str | None:
    """SHA-256 of the initial weights of a model; None if its `word_vectors` is false.

    Raises:
        UserError: the folder is missing.
    """
    return hashlib.sha256(_file(folder).read_bytes()).hexdigest() if model.word_vectors else None


def _file(folder: Path) -> Path:
    if not (folder / WEIGHTS).is_file():
        raise UserError(f"{folder} is missing, and the model starts from it: {CURE}")
    return folder / WEIGHTS
