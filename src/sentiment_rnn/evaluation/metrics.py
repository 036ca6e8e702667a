"""Metrics of a binary classifier on a labeled split."""

from statistics import fmean
from typing import Any

import numpy as np
from sklearn.metrics import confusion_matrix, f1_score, log_loss, roc_auc_score

Z95 = 1.959963984540054  # the standard normal distribution's 97.5% quantile


def wilson(successes: int, count: int) -> tuple[float, float]:
    """95% score interval of a binomial proportion (Wilson, 1927).

    Unlike the normal approximation it keeps its coverage near 0 and 1.
    """
    proportion, z2 = successes / count, Z95 * Z95
    center = (proportion + z2 / (2 * count)) / (1 + z2 / count)
    half = Z95 / (1 + z2 / count) * np.sqrt(proportion * (1 - proportion) / count + z2 / (4 * count * count))
    return float(center - half), float(center + half)


def probabilities(logits: np.ndarray) -> np.ndarray:
    """Logits to probabilities of "positive", in float64."""
    return 1 / (1 + np.exp(-logits.astype(np.float64)))


def evaluate(positive: np.ndarray, labels: np.ndarray) -> dict[str, Any]:
    """Accuracy with its interval, F1, ROC AUC, log loss and the confusion matrix.

    Args:
        positive: `(N,)` probabilities of "positive"; the predicted label is positive from 0.5 on.
        labels: `(N,)` of 0 and 1.

    Returns:
        n, accuracy, accuracy_interval (95%, Wilson), f1, roc_auc, log_loss, confusion (rows: label, columns: predicted
        label).
    """
    predicted = positive >= 0.5
    truth = labels.astype(int)
    correct = int((predicted == truth).sum())
    return {
        "n": len(truth),
        "accuracy": correct / len(truth),
        "accuracy_interval": list(wilson(correct, len(truth))),
        "f1": float(f1_score(truth, predicted)),
        "roc_auc": float(roc_auc_score(truth, positive)),
        "log_loss": float(log_loss(truth, positive)),
        "confusion": confusion_matrix(truth, predicted).tolist(),
    }


def training_report(name: str, dataset: str, protocol: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """Training report of an architecture or a baseline: means over its seeds, and each seed's metrics.

    `dvc metrics` and `dvc exp show` do not read lists, so they show the means.
    """
    averaged = ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "train_seconds")
    means = {key: fmean(seed[key] for seed in seeds) for key in averaged if key in seeds[0]}
    return {"dataset": dataset, "architecture": name, "protocol": protocol, **means, "seeds": seeds}
