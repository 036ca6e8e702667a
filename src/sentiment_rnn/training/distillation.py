"""Distillation: a classifier first learns what its teachers say of the unlabelled reviews.

Hinton et al. (2015), "Distilling the knowledge in a neural network": the teachers' probabilities are the labels. A
linear rival counts n-grams, which a recurrent model does not; a pupil of its own kind makes it self-training (Xie et
al., 2020, "Self-training with noisy student"). There are twice as many unlabelled reviews as others.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from torch import Tensor

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, unbroken, whole_folder, write_json
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.training.fit import Fit, fit

PROBABILITIES, DESCRIPTION = "probabilities.safetensors", "reviews.json"
STAGE = "run `dvc repro best/dvc.yaml` (or `python -m pipeline.teach ARCHITECTURE`)"


def save(positive: np.ndarray, tokens: Path, folder: Path) -> None:
    """Write the teachers' probabilities `(N,)` of "positive" for the unlabelled reviews in `tokens`, in their order."""
    with whole_folder(folder) as partial:
        save_file({"positive": positive.astype(np.float32)}, partial / PROBABILITIES)
        write_json(partial / DESCRIPTION, load_identity(tokens))


def load(folder: Path, tokens: Path) -> np.ndarray:
    """Read what `save` wrote, `(N,)` float32.

    Raises:
        UserError: it is not there, is broken, or is about other reviews than those in `tokens`.
    """
    file = _file(folder)
    with unbroken(folder):
        positive: np.ndarray = load_file(file)["positive"]
        learned_from = read_json(folder / DESCRIPTION)
    if learned_from != load_identity(tokens):
        raise UserError(f"{folder} is about other reviews than {tokens} has now: {STAGE}")
    return positive


def digest(model: ModelParams, folder: Path) -> str | None:
    """SHA-256 of what a model's teachers said; None where it has none.

    Raises:
        UserError: it is not there.
    """
    return hashlib.sha256(_file(folder).read_bytes()).hexdigest() if model.teachers else None


def _file(folder: Path) -> Path:
    if not (folder / PROBABILITIES).is_file():
        raise UserError(f"{folder} is not there, and the model has teachers: {STAGE}")
    return folder / PROBABILITIES


def distil(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: str | Path,
    checkpoints: Path | None,
    positive: np.ndarray,
    start: Mapping[str, Tensor] | None,
) -> Fit | None:
    """Train on the unlabelled reviews for `model.teacher_epochs`; what the labels are to do comes later.

    Args:
        name: how progress is called.
        model: architecture and training parameters.
        params: Trainer's.
        seed: of the initial values, the order of the batches and dropout.
        tokens: folder of the tokenize stage.
        checkpoints: where a killed training goes on from.
        positive: the teachers' probabilities `(N,)`.
        start: weights that take the place of some of the initial ones, by name.

    Returns:
        As `fit` does.
    """
    changes = {
        "protocol": "taught",
        "max_epochs": model.teacher_epochs,
        "patience": model.teacher_epochs,
        "label_smoothing": 0.0,  # these labels are soft as they are
        "adversarial": None,
    }
    return fit(
        f"{name}, taught by {' and '.join(model.teachers)}",
        model.model_copy(update=changes),
        params,
        seed,
        tokens=tokens,
        checkpoints=checkpoints,
        logger=False,
        start=start,
        labels=positive,
    )
