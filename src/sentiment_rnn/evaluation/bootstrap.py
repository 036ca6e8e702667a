"""How far measures would move on other reviews of the same kind: the bootstrap (Efron, 1979), percentile intervals.

All models are measured on the same resamples, so a difference between two of them has an interval too.
"""

from collections.abc import Callable, Mapping

import numpy as np
from tqdm import trange

RESAMPLES, SEED = 1_000, 7


def measures(positive: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    """A function from how often each review counts `(N,)` to accuracy, F1, ROC AUC, average precision and log loss.

    What does not depend on the counts is done once: scikit-learn's measures sort anew for each resample, which takes
    ten times as long.

    Args:
        positive: `(N,)` probabilities of "positive"; from 0.5 on a review is called positive.
        labels: `(N,)` of 0 and 1, both of them.
    """
    order = np.argsort(-positive, kind="stable")
    said, truth = positive[order], labels[order] > 0.5
    called = int(np.count_nonzero(said >= 0.5))
    ends = np.append(np.flatnonzero(np.diff(said)), len(said) - 1)  # reviews with one probability are one step
    tiny = np.finfo(np.float64).eps
    loss = -np.log(np.clip(np.where(truth, said, 1 - said), tiny, 1 - tiny))

    def measured(counts: np.ndarray) -> dict[str, float]:
        weights = counts[order].astype(np.float64)
        true_positives, false_positives = (
            np.concatenate([[0.0], np.cumsum(np.where(of_class, weights, 0.0))]) for of_class in (truth, ~truth)
        )
        positives, negatives, total = true_positives[-1], false_positives[-1], weights.sum()
        right_positives, wrong_positives = true_positives[called], false_positives[called]
        steps = np.append(0, ends + 1)
        hits, misses = true_positives[steps], false_positives[steps]
        found = hits + misses
        precision = np.divide(hits, found, out=np.zeros_like(hits), where=found > 0)
        return {
            "accuracy": (right_positives + negatives - wrong_positives) / total,
            "f1": 2 * right_positives / (right_positives + wrong_positives + positives),
            "roc_auc": np.trapezoid(hits, misses) / (positives * negatives),
            "average_precision": (np.diff(hits) @ precision[1:]) / positives,
            "log_loss": (weights @ loss) / total,
        }

    return measured


def bootstrap(
    said: Mapping[str, np.ndarray], labels: np.ndarray, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, np.ndarray]]:
    """Draw the reviews again with replacement, `resamples` times, and measure every model on each draw.

    Args:
        said: each model's probabilities of "positive" `(N,)`.
        labels: `(N,)` of 0 and 1.
        resamples: R.
        seed: the draws'.

    Returns:
        By model and measure the R values `(R,)`.
    """
    random, count = np.random.default_rng(seed), len(labels)
    measure = {name: measures(positive, labels) for name, positive in said.items()}
    draws: dict[str, list[dict[str, float]]] = {name: [] for name in said}
    for _ in trange(resamples, desc="bootstrap", unit="resamples"):
        counts = np.bincount(random.integers(0, count, count), minlength=count)
        for name, measured in measure.items():
            draws[name].append(measured(counts))
    return {name: {key: np.array([row[key] for row in rows]) for key in rows[0]} for name, rows in draws.items()}


def interval(values: np.ndarray) -> list[float]:
    """The 95% percentile interval of resampled values."""
    return [float(end) for end in np.quantile(values, [0.025, 0.975])]
