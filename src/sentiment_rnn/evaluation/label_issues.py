"""Labels that are probably wrong, by confident learning.

Northcutt, Jiang & Chuang, 2021, "Confident learning: estimating uncertainty in dataset labels", JAIR 70. A model's
threshold for a label is its own mean probability of that label over the reviews that have it, which corrects for
over- and underconfidence.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


def find_label_issues(labels: np.ndarray, predictions: Sequence[np.ndarray]) -> np.ndarray:
    """Rows of the reviews for which every model confidently predicts the other label.

    Args:
        labels: `(N,)` of 0 and 1, both of them.
        predictions: each model's probabilities of "positive" `(N,)`, on reviews that it was not trained on.

    Returns:
        In ascending order of the models' mean probability of the given label.
    """
    is_positive = labels > 0.5
    issue = np.ones(len(labels), dtype=bool)
    for positive in predictions:
        other = np.where(is_positive, 1 - positive, positive)  # probability of the label that a review does not have
        threshold_positive, threshold_negative = positive[is_positive].mean(), (1 - positive[~is_positive]).mean()
        issue &= (other >= np.where(is_positive, threshold_negative, threshold_positive)) & (other > 0.5)
    mean = np.mean(predictions, axis=0)
    given = np.where(is_positive, mean, 1 - mean)
    rows = np.flatnonzero(issue)
    return rows[np.argsort(given[rows], kind="stable")]


class NoiseRecovery(NamedTuple):
    """Number of deliberately flipped labels, and how many of them `find_label_issues` recovers."""

    injected: int
    recovered: int


def noise_recovery(
    labels: np.ndarray, predictions: Sequence[np.ndarray], fraction: float = 0.05, seed: int = 7
) -> NoiseRecovery:
    """Flip a random fraction of the labels and count how many are found: the recall of `find_label_issues`."""
    flipped = np.random.default_rng(seed).random(len(labels)) < fraction
    rows = find_label_issues(np.where(flipped, 1 - labels, labels), predictions)
    return NoiseRecovery(int(flipped.sum()), int(flipped[rows].sum()))
