"""The bootstrap's measures against scikit-learn's, and its intervals against theory."""

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, average_precision_score, f1_score, log_loss, roc_auc_score

from sentiment_rnn.evaluation.bootstrap import bootstrap, interval, measures
from sentiment_rnn.evaluation.metrics import wilson


def drawn(count: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Labels, and probabilities that know something of them; rounded, so that some are equal, and some are one half."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, 2, count)
    return labels, np.clip(0.25 * labels + random.uniform(0, 0.75, count), 0.01, 0.99).round(2)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_measures_of_a_resample_are_those_of_scikit_learn_on_it(seed):
    labels, positive = drawn(300, seed)
    rows = np.random.default_rng(seed).integers(0, 300, 300)
    assert 0.5 in positive[rows]
    found = measures(positive, labels)(np.bincount(rows, minlength=300))
    truth, said = labels[rows], positive[rows]
    assert found == pytest.approx(
        {
            "accuracy": accuracy_score(truth, said >= 0.5),
            "f1": f1_score(truth, said >= 0.5),
            "roc_auc": roc_auc_score(truth, said),
            "average_precision": average_precision_score(truth, said),
            "log_loss": log_loss(truth, said),
        }
    )


def test_an_accuracys_interval_is_about_wilsons():
    labels, positive = drawn(1000)
    right = int(((positive >= 0.5) == labels).sum())
    found = interval(bootstrap({"model": positive}, labels)["model"]["accuracy"])
    assert found == pytest.approx(wilson(right, 1000), abs=0.004)


def test_all_models_are_measured_on_the_same_resamples():
    labels, positive = drawn(400)
    better = np.where(np.arange(400) < 40, labels, positive)  # at least as good on each review
    draws = bootstrap({"good": positive, "twin": positive, "better": better}, labels, resamples=200)
    assert np.array_equal(draws["good"]["log_loss"], draws["twin"]["log_loss"])
    assert (draws["better"]["accuracy"] >= draws["good"]["accuracy"]).all()
    low, high = interval(draws["better"]["accuracy"] - draws["good"]["accuracy"])
    alone = interval(draws["good"]["accuracy"])
    assert low > 0
    assert high - low < alone[1] - alone[0], "what both share does not part them"


def test_the_same_seed_draws_the_same():
    labels, positive = drawn(100)
    first, again, other = (
        bootstrap({"model": positive}, labels, resamples=20, seed=seed)["model"]["roc_auc"] for seed in (1, 1, 2)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
