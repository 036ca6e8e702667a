"""Labels that are probably wrong: reviews for which every model is sure of the other one.

After confident learning (Northcutt, Jiang & Chuang, 2021, "Confident learning: estimating uncertainty in dataset
labels", JAIR 70): a model is sure of a label from its own mean probability of that label on, taken over the reviews
that carry it, so a model that is sure of itself too often or too seldom does no harm. No model was trained on these
reviews. What several models of different kinds agree on is more than one's whim.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np


def find_label_issues(labels: np.ndarray, said: Sequence[np.ndarray]) -> np.ndarray:
    """The reviews whose label every model contradicts, the most decided first.

    Args:
        labels: `(N,)` of 0 and 1, both of them.
        said: each model's probabilities of "positive" `(N,)`, of reviews that it was not trained on.

    Returns:
        Their rows, by the models' mean probability of the label they carry.
    """
    truth = labels > 0.5
    against = np.ones(len(labels), dtype=bool)
    for positive in said:
        other = np.where(truth, 1 - positive, positive)  # the probability of the label that a review does not carry
        sure_positive, sure_negative = positive[truth].mean(), (1 - positive[~truth]).mean()
        against &= (other >= np.where(truth, sure_negative, sure_positive)) & (other > 0.5)
    carried = np.where(truth, 1, -1) * (np.mean(said, axis=0) - 0.5) + 0.5
    rows = np.flatnonzero(against)
    return rows[np.argsort(carried[rows], kind="stable")]


class Planted(NamedTuple):
    """Labels turned round on purpose, and how many of them are found again."""

    turned: int
    found: int


def planted(labels: np.ndarray, said: Sequence[np.ndarray], share: float = 0.05, seed: int = 7) -> Planted:
    """How many wrong labels `find_label_issues` finds: turn a share of them round, and look for these."""
    turned = np.random.default_rng(seed).random(len(labels)) < share
    rows = find_label_issues(np.where(turned, 1 - labels, labels), said)
    return Planted(int(turned.sum()), int(turned[rows].sum()))
