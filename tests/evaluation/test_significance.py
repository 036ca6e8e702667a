"""Bootstrap metrics against scikit-learn's, intervals against theory, McNemar's test against published p values."""

from math import comb

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, log_loss, roc_auc_score

from sentiment_rnn.evaluation.metrics import wilson
from sentiment_rnn.evaluation.significance import bootstrap, interval, mcnemar, weighted_metrics


def sampled(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and correlated probabilities that are rounded: some are equal, and some are one half."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    return labels, np.clip(0.25 * labels + random.uniform(0, 0.75, count), 0.01, 0.99).round(2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_weighted_metrics_are_those_of_scikit_learn_on_the_resample(seed):
    labels, positive = sampled(300, seed)
    rows = np.random.default_rng(seed).integers(0, 300, 300)
    truth, scores = labels[rows], positive[rows]
    assert 0.5 in scores
    assert weighted_metrics(positive, labels)(np.bincount(rows, minlength=300)) == pytest.approx(
        {
            "accuracy": accuracy_score(truth, scores >= 0.5),
            "f1": f1_score(truth, scores >= 0.5),
            "roc_auc": roc_auc_score(truth, scores),
            "average_precision": average_precision_score(truth, scores),
            "log_loss": log_loss(truth, scores),
        }
    )


def test_the_interval_of_the_accuracy_is_close_to_wilsons():
    labels, positive = sampled(1000)
    correct = int(((positive >= 0.5) == labels).sum())
    resampled = bootstrap({"model": positive}, labels)["model"]["accuracy"]
    assert interval(resampled) == pytest.approx(wilson(correct, 1000), abs=0.004)


def test_all_models_are_evaluated_on_the_same_resamples():
    labels, positive = sampled(400)
    better = np.where(np.arange(400) < 40, labels, positive)  # at least as good on each review
    resampled = bootstrap({"good": positive, "same": positive, "better": better}, labels, resamples=200)
    assert np.array_equal(resampled["good"]["log_loss"], resampled["same"]["log_loss"])
    assert (resampled["better"]["accuracy"] >= resampled["good"]["accuracy"]).all()
    low, high = interval(resampled["better"]["accuracy"] - resampled["good"]["accuracy"])
    alone = interval(resampled["good"]["accuracy"])
    assert low > 0
    assert high - low < alone[1] - alone[0], "variance that both share cancels"


def test_the_seed_determines_the_resamples():
    labels, positive = sampled(100)
    first, again, other = (
        bootstrap({"model": positive}, labels, resamples=20, seed=seed)["model"]["roc_auc"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of two models is correct, in mixed order, with these counts."""
    pairs = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0).astype(bool)
    np.random.default_rng(0).shuffle(pairs)
    return pairs[:, 0], pairs[:, 1]


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(121, 59, 0.000004), (70, 59, 0.378688), (80, 59, 0.089452), (30, 60, 0.00206)],  # vassarstats, by statsmodels
)
def test_p_is_the_published_one(first, second, p):
    result = mcnemar(*outcomes(101, first, second, 33))
    assert result[:4] == (101, first, second, 33)
    assert result.p == pytest.approx(p, abs=5e-7)


@pytest.mark.parametrize(("first", "second"), [(0, 6), (9, 1), (12, 30)])
def test_p_is_twice_the_binomial_tail_and_symmetric(first, second):
    count, fewer = first + second, min(first, second)
    tail = sum(comb(count, k) for k in range(fewer + 1)) / 2**count
    correct = outcomes(5, first, second, 5)
    assert mcnemar(*correct).p == pytest.approx(2 * tail)
    assert mcnemar(*correct[::-1]).p == pytest.approx(2 * tail)


def test_p_is_1_without_a_difference():
    assert mcnemar(*outcomes(5, 0, 0, 2)).p == 1
    assert mcnemar(*outcomes(5, 7, 7, 2)).p == 1
