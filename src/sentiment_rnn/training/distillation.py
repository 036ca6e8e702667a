"""Distillation: pseudo-labels of teachers on the unlabeled reviews, and training on them.

Hinton et al. (2015), "Distilling the knowledge in a neural network": the labels are the teachers' probabilities. With a
teacher of the student's architecture it is self-training (Xie et al., 2020, "Self-training with noisy student").
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file, save_file
from scipy.special import logit
from torch import Tensor

from sentiment_rnn.baselines import model as baselines
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNLABELED
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import fit_temperature
from sentiment_rnn.evaluation.metrics import probabilities
from sentiment_rnn.files import atomic_folder, read_json, refuse_corrupt_files, write_json
from sentiment_rnn.inference.logits import Predicted, baseline_logits, network_logits
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.params import BASELINES, ModelParams, Params, TrainerParams
from sentiment_rnn.training.augmentation import generate as augmentation
from sentiment_rnn.training.fit import FitResult, fit

PROBABILITIES, DESCRIPTION = "probabilities.safetensors", "reviews.json"


def pseudo_label(name: str, params: Params, *, raw: Path, tokens: Path, models: Path, out: Path) -> None:
    """The stage pseudo_label: write the mean prediction of an architecture's teachers on the unlabeled reviews.

    After them come those on the spans that `augmentation.spans` of the architecture asks for.

    The mean logit is divided by a temperature that is fitted on validation.

    Args:
        name: the architecture.
        params: the whole of params.yaml.
        raw: folder of the download stage.
        tokens: folder of the tokenize stage.
        models: folder of all trained models.
        out: replaced as a whole.

    Raises:
        UserError: the architecture has no teachers, or one is not trained.
    """
    teachers = params.model_of(name).teachers
    if not teachers:
        raise UserError(f"params.yaml: models.{name}.teachers: empty, there is nothing to learn from")

    def predict(split: str) -> Predicted:
        return _mean([_teacher(teacher, params, split, raw, tokens, models) for teacher in teachers])

    if not len(TokenizedReviews(tokens, [UNLABELED], Encoding(**params.model_of(name).encoding()))):
        print(f"{name}: no unlabeled texts, so it learns from the labels alone", flush=True)
        save(np.empty(0), tokens, out)
        return
    names = " and ".join(teachers)
    validation = predict("validation")
    temperature = fit_temperature(validation.logits, validation.labels)
    accuracy = np.mean((validation.logits > 0) == (validation.labels > 0))
    print(f"{names}: validation accuracy {accuracy:.4f}, temperature {temperature}", flush=True)
    print(f"{names}: predicting the unlabeled reviews ...", flush=True)
    logits = predict(UNLABELED).logits
    if count := params.model_of(name).augmentation.spans:
        texts = augmentation.texts(tokens, augmentation.spans(tokens, count))
        each = [_teacher_of_texts(teacher, params, texts, tokens, models) for teacher in teachers]
        logits = np.append(logits, np.mean(each, axis=0))
    save(probabilities(logits / temperature), tokens, out)


def _teacher(name: str, params: Params, split: str, raw: Path, tokens: Path, models: Path) -> Predicted:
    """A linear baseline, or the mean of all seeds of an architecture."""
    if name in BASELINES:
        return baseline_logits(models / "baselines" / name, raw, tokens, split)
    folder = models / params.path_of(name)
    seeds = params.model_of(name).seeds
    return _mean([network_logits(folder / f"seed-{seed}", tokens, split) for seed in seeds])


def _teacher_of_texts(name: str, params: Params, texts: list[str], tokens: Path, models: Path) -> np.ndarray:
    """Logits `(N,)` of N raw texts by a linear baseline, or the mean of all seeds of an architecture."""
    if name in BASELINES:
        return baselines.load(models / "baselines" / name).logits(texts)
    folder = models / params.path_of(name)
    predictors = [Predictor(folder / f"seed-{seed}", tokens / "tokenizer.json") for seed in params.model_of(name).seeds]
    return np.asarray(np.mean([logit(each.predict_probabilities(texts)) for each in predictors], axis=0))


def _mean(predicted: list[Predicted]) -> Predicted:
    return Predicted(np.mean([each.logits for each in predicted], axis=0), predicted[0].labels)


def save(positive: np.ndarray, tokens: Path, folder: Path) -> None:
    """Write pseudo-labels: probabilities `(N,)` of "positive", in the order of `tokens`, those of spans last."""
    with atomic_folder(folder) as partial:
        save_file({"positive": positive.astype(np.float32)}, partial / PROBABILITIES)
        write_json(partial / DESCRIPTION, load_identity(tokens))


def load(name: str, model: ModelParams, folder: Path, tokens: Path) -> np.ndarray | None:
    """Read the pseudo-labels of an architecture, `(N,)` float32; None if it has no teachers, or there are no texts.

    Raises:
        UserError: they are missing, corrupt, or made from another data set than `tokens`.
    """
    if not model.teachers:
        return None
    file = _file(name, folder)
    with refuse_corrupt_files(folder):
        positive: np.ndarray = load_file(file)["positive"]
        made_from = read_json(folder / DESCRIPTION)
    if made_from != load_identity(tokens):
        raise UserError(f"{folder} was made from another data set than {tokens}: run `dvc repro pseudo_label_{name}`")
    return positive if len(positive) else None


def digest(name: str, model: ModelParams, folder: Path) -> str | None:
    """SHA-256 of an architecture's pseudo-labels; None if it has no teachers.

    Raises:
        UserError: they are missing.
    """
    return hashlib.sha256(_file(name, folder).read_bytes()).hexdigest() if model.teachers else None


def _file(name: str, folder: Path) -> Path:
    if not (folder / PROBABILITIES).is_file():
        raise UserError(f"{folder} is missing, and {name} has teachers: run `dvc repro pseudo_label_{name}`")
    return folder / PROBABILITIES


def distill(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: str | Path,
    checkpoints: Path | None,
    pseudo_labels: np.ndarray,
    init_state: Mapping[str, Tensor] | None,
) -> FitResult | None:
    """Train on the unlabeled reviews for `model.distillation_epochs`.

    Args:
        name: in the progress output.
        model: architecture and training parameters.
        params: Trainer's.
        seed: of the initial values, the order of the batches and dropout.
        tokens: folder of the tokenize stage.
        checkpoints: folder from which a killed training resumes.
        pseudo_labels: the teachers' probabilities `(N,)`.
        init_state: weights that replace some of the initial ones, by name.

    Returns:
        As `fit` does.
    """
    changes = {
        "protocol": "distillation",
        "max_epochs": model.distillation_epochs,
        "patience": model.distillation_epochs,
        "label_smoothing": 0.0,  # pseudo-labels are soft
        "adversarial_epsilon": None,
    }
    return fit(
        f"{name}, distilled from {' and '.join(model.teachers)}",
        model.model_copy(update=changes),
        params,
        seed,
        tokens=tokens,
        checkpoints=checkpoints,
        logger=False,
        init_state=init_state,
        labels=pseudo_labels,
    )
