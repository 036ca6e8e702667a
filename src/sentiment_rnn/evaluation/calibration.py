"""Expected calibration error and temperature scaling.

Guo, Pleiss, Sun & Weinberger, 2017, "On calibration of modern neural networks", ICML.
"""

import math

import numpy as np
from scipy.optimize import minimize_scalar

BINS = 15
MAX_TEMPERATURE = 20.0  # and 1 / 20 the least: without a bound it diverges if every label, or none, is correct


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """The temperature that minimizes the log loss of `logits / temperature`.

    It is positive, so no predicted label changes.

    Args:
        logits: `(N,)`, of reviews that the model was not trained on.
        labels: `(N,)` of 0 and 1.

    Returns:
        Above 1 for an overconfident model. Rounded to four decimals: a logit's last bits depend on the number of
        threads, and the same weights should give the same registered model.
    """
    signed_logits = np.where(labels > 0.5, logits, -logits).astype(np.float64)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signed_logits / math.exp(log_temperature)).mean())

    # convex in 1 / T, so the minimum is the only one
    bound = math.log(MAX_TEMPERATURE)
    minimum = minimize_scalar(loss, bounds=(-bound, bound), method="bounded", options={"xatol": 1e-6})
    return round(math.exp(minimum.x), 4)


def expected_calibration_error(positive: np.ndarray, labels: np.ndarray) -> float:
    """Mean gap between confidence and accuracy over bins of equal width (ECE).

    A review's confidence is the probability of its predicted label. Of 15 bins from `(0, 1/15]` to `(14/15, 1]` those
    below 1/2 stay empty. Each bin's gap is weighted by its fraction of the reviews.

    Args:
        positive: `(N,)` probabilities of "positive"; the predicted label is positive from 0.5 on.
        labels: `(N,)` of 0 and 1.

    Returns:
        From 0 (perfectly calibrated) to 1.
    """
    predicted = positive >= 0.5
    confidence = np.where(predicted, positive, 1 - positive)
    correct = predicted == (labels > 0.5)
    bins = np.ceil(confidence * BINS).astype(int)
    gaps = np.bincount(bins, weights=correct - confidence)  # each times the bin's number of reviews
    return float(np.abs(gaps).sum() / len(positive))
