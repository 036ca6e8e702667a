"""Trained models, one a seed, to the model that is registered: one of them or their average, calibrated."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import expected_calibration_error, temperature
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json, whole_folder
from sentiment_rnn.inference import saved, score
from sentiment_rnn.inference.average import Average
from sentiment_rnn.models import Classifier


def assemble(trained: Sequence[Path], tokens: Path, out: Path) -> dict[str, Any]:
    """Write the model to `out`, whole or not at all, with the temperature that validation asks for.

    Where there are refits they are what is written. They have learned validation's labels: the temperature, and what is
    said of validation, are those of the models from before.

    Args:
        trained: the folder of each seed's model; several become their average.
        tokens: folder of the tokenize stage.
        out: the model's folder; what was there is replaced.

    Returns:
        members, refit (whether it is these that were written), parameters (of all together), temperature, and of
        validation the number of reviews, the accuracy (which no temperature changes), log loss and expected calibration
        error before and after it. The temperature was chosen on these very reviews: what it is worth elsewhere, test
        says.

    Raises:
        UserError: a folder holds no model, or their models are of different kinds.
    """
    loaded = [saved.load(folder) for folder in trained]
    descriptions = [read_json(folder / saved.DESCRIPTION) for folder in trained]
    for folder, description in zip(trained, descriptions, strict=True):
        if description != descriptions[0]:
            raise UserError(f"{folder} holds another kind of model than {trained[0]}: train its architecture again")
    encoding = loaded[0].encoding
    validation = TokenizedReviews(tokens, ["validation"], encoding)
    logits = score.logits(_as_one(loaded), validation).astype(np.float64)
    chosen = temperature(logits, validation.labels)
    model = _as_one([saved.load(saved.final(folder)) for folder in trained])
    with whole_folder(out) as partial:
        saved.save(model, descriptions[0]["architecture"], encoding, partial, chosen)
    return {
        "members": len(trained),
        "refit": saved.final(trained[0]) != trained[0],
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "temperature": chosen,
        "validation": {
            "n": len(validation),
            "accuracy": evaluate(probabilities(logits), validation.labels)["accuracy"],
            "before": _judge(logits, validation.labels),
            "after": _judge(logits / chosen, validation.labels),
        },
    }


def _as_one(trained: Sequence[saved.SavedModel]) -> Classifier | Average:
    members = [model for model, _, _ in trained]
    return Average(members).eval() if len(members) > 1 else members[0]


def _judge(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    positive = probabilities(logits)
    return {
        "log_loss": evaluate(positive, labels)["log_loss"],
        "ece": expected_calibration_error(positive, labels),
    }
