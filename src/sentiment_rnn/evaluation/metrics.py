"""Figures of a binary classifier from its logits, with an interval where people will compare."""

from statistics import fmean
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, log_loss, roc_auc_score

Z95 = 1.959963984540054  # the normal distribution's 97.5% quantile


def wilson(successes: int, count: int) -> tuple[float, float]:
    """The 95% interval of a share (Wilson, 1927): sound near 0 and 1, where the plain normal one is not."""
    share, z2 = successes / count, Z95 * Z95
    centre = (share + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 / (1 + z2 / count) * np.sqrt(share * (1 - share) / count + z2 / (4 * count * count))
    return float(centre - half), float(centre + half)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits to probabilities of "positive", in float64."""
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def evaluate(positive: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Compare probabilities of "positive" `(N,)` with labels 0 and 1 `(N,)`; from 0.5 on a review is called positive.

    Returns:
        n, accuracy with its 95% interval, F1, ROC AUC, log loss, confusion (rows: truth, columns: prediction).
    """
    predicted = positive >= 0.5
    truth = labels.astype(int)
    right = int((predicted == truth).sum())
    return {
        "n": len(truth),
        "accuracy": right / len(truth),
        "accuracy_interval": list(wilson(right, len(truth))),
        "f1": float(f1_score(truth, predicted)),
        "roc_auc": float(roc_auc_score(truth, positive)),
        "log_loss": float(log_loss(truth, positive)),
        "confusion": confusion_matrix(truth, predicted).tolist(),
    }


def training_report(name: str, dataset: str, protocol: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """The report of an architecture or a baseline: the means over its seeds, and each seed's metrics.

    `dvc metrics` and `dvc exp show` read no lists: they show the means.
    """
    shown = ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "train_seconds")
    means = {key: fmean(seed[key] for seed in seeds) for key in shown if key in seeds[0]}
    return {"dataset": dataset, "architecture": name, "protocol": protocol, **means, "seeds": seeds}
