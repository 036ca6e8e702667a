"""How far a probability can be taken at its word, and the one number that mends it (Guo et al., 2017).

"On calibration of modern neural networks", ICML: networks are surer of themselves than they are right.
"""

import math

import numpy as np
from scipy.optimize import minimize_scalar

BINS = 15
FURTHEST = 20.0  # from 1 / 20 to 20: logits that are right everywhere, or nowhere, want one without end


def fit_temperature(logits: np.ndarray, labels: np.ndarray) -> float:
    """What to divide logits by so that their log loss is the least; it is positive, so no label changes.

    Args:
        logits: `(N,)` of reviews that the model was not trained on.
        labels: `(N,)` of 0 and 1.

    Returns:
        The temperature, to four decimals: a logit's last bits depend on the threads, and the same weights should be
        the same registered model. Above 1 the model was too sure of itself.
    """
    signed_logits = np.where(labels > 0.5, logits, -logits).astype(np.float64)

    def loss(log_temperature: float) -> float:
        return float(np.logaddexp(0, -signed_logits / math.exp(log_temperature)).mean())

    # convex in 1 / T, so there is one valley
    furthest = math.log(FURTHEST)
    found = minimize_scalar(loss, bounds=(-furthest, furthest), method="bounded", options={"xatol": 1e-6})
    return round(math.exp(found.x), 4)


def expected_calibration_error(positive: np.ndarray, labels: np.ndarray) -> float:
    """The mean gap between how sure a model is of the label it gives and how often that is right (ECE).

    Reviews are sorted into 15 bins of equal width by the probability of their predicted label, `(0, 1/15]` to
    `(14/15, 1]`; of two labels the likelier has at least 1/2, so the lower bins stay empty. A bin's gap is that between
    its accuracy and its mean probability, and counts by the bin's share of the reviews.

    Args:
        positive: `(N,)` probabilities of "positive"; from 0.5 on a review is called positive.
        labels: `(N,)` of 0 and 1.

    Returns:
        From 0 (every probability can be taken at its word) to 1.
    """
    called = positive >= 0.5
    confidence = np.where(called, positive, 1 - positive)
    correct = called == (labels > 0.5)
    bins = np.ceil(confidence * BINS).astype(int)
    gaps = np.bincount(bins, weights=correct - confidence)  # a bin's gap times its reviews
    return float(np.abs(gaps).sum() / len(positive))
