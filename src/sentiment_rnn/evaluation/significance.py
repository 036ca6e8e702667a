"""Bootstrap intervals of metrics, and McNemar's test between two models."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest
from tqdm import trange

RESAMPLES, SEED = 1_000, 7


def weighted_metrics(positive: np.ndarray, labels: np.ndarray) -> Callable[[np.ndarray], dict[str, float]]:
    """A function of each review's weight `(N,)` that returns accuracy, F1, ROC AUC, average precision and log loss.

    The reviews are sorted once; scikit-learn's metrics sort for each resample, which takes ten times as long.

    Args:
        positive: `(N,)` probabilities of "positive"; the predicted label is positive from 0.5 on.
        labels: `(N,)` of 0 and 1, both of them.
    """
    order = np.argsort(-positive, kind="stable")
    scores, truth = positive[order], labels[order] > 0.5
    threshold = int(np.count_nonzero(scores >= 0.5))
    # equal probabilities are one step of the curves
    steps = np.append(0, np.append(np.flatnonzero(np.diff(scores)), len(scores) - 1) + 1)
    epsilon = np.finfo(np.float64).eps
    loss = -np.log(np.clip(np.where(truth, scores, 1 - scores), epsilon, 1 - epsilon))

    def metrics(weights: np.ndarray) -> dict[str, float]:
        weights = weights[order].astype(np.float64)
        true_positives, false_positives = (
            np.concatenate([[0.0], np.cumsum(np.where(of_class, weights, 0.0))]) for of_class in (truth, ~truth)
        )
        positives, negatives = true_positives[-1], false_positives[-1]
        hits, false_alarms = true_positives[threshold], false_positives[threshold]
        tp, fp = true_positives[steps], false_positives[steps]
        precision = np.divide(tp, tp + fp, out=np.zeros_like(tp), where=tp + fp > 0)
        return {
            "accuracy": (hits + negatives - false_alarms) / weights.sum(),
            "f1": 2 * hits / (hits + false_alarms + positives),
            "roc_auc": np.trapezoid(tp, fp) / (positives * negatives),
            "average_precision": (np.diff(tp) @ precision[1:]) / positives,
            "log_loss": (weights @ loss) / weights.sum(),
        }

    return metrics


def bootstrap(
    predictions: Mapping[str, np.ndarray], labels: np.ndarray, *, resamples: int = RESAMPLES, seed: int = SEED
) -> dict[str, dict[str, np.ndarray]]:
    """Metrics on resamples of the reviews, with replacement (Efron, 1979).

    All models are evaluated on the same resamples, so a difference between two of them has an interval too.

    Args:
        predictions: each model's probabilities of "positive" `(N,)`.
        labels: `(N,)` of 0 and 1.
        resamples: R.
        seed: of the resampling.

    Returns:
        By model and metric the R values `(R,)`.
    """
    random, count = np.random.default_rng(seed), len(labels)
    functions = {name: weighted_metrics(positive, labels) for name, positive in predictions.items()}
    values: dict[str, list[dict[str, float]]] = {name: [] for name in predictions}
    for _ in trange(resamples, desc="bootstrap", unit="resamples", disable=None):
        weights = np.bincount(random.integers(0, count, count), minlength=count)
        for name, metrics in functions.items():
            values[name].append(metrics(weights))
    return {name: {key: np.array([row[key] for row in rows]) for key in rows[0]} for name, rows in values.items()}


def interval(values: np.ndarray) -> list[float]:
    """The 95% percentile interval of resampled values."""
    return [float(end) for end in np.quantile(values, [0.025, 0.975])]


class McNemar(NamedTuple):
    """The contingency table of two models' correct predictions, and the p value."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """McNemar's exact test (1947), two-sided: the binomial test on the reviews that one model alone predicts correctly.

    Args:
        first, second: `(N,)`, where each is correct, on the same reviews.
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    discordant = only_first + only_second
    p = float(binomtest(only_first, discordant).pvalue) if discordant else 1.0
    return McNemar(int((first & second).sum()), only_first, only_second, int((~first & ~second).sum()), p)
