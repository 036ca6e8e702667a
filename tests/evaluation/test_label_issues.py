"""Injected label noise is recovered; ordinary errors are not reported."""

import numpy as np
import pytest

from sentiment_rnn.evaluation.label_issues import find_label_issues, noise_recovery

COUNT = 4_000


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[np.ndarray]]:
    """True labels, and predictions of two models with independent errors, the second far overconfident."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, COUNT)
    logits = [scale * (2 * (2 * labels - 1) + random.normal(0, 1.2, COUNT)) for scale in (1.0, 3.0)]
    return labels, [1 / (1 + np.exp(-each)) for each in logits]


def test_flipped_labels_are_found_and_few_others(known):
    truth, predictions = known
    flipped = np.random.default_rng(1).choice(COUNT, 200, replace=False)
    labels = truth.copy()
    labels[flipped] = 1 - labels[flipped]
    hits = np.isin(find_label_issues(labels, predictions), flipped)
    assert hits.sum() > 0.3 * 200, "both must be above their mean confidence"
    assert hits.mean() > 0.9
    assert hits[:50].all(), "the most confident first"


def test_clean_labels_have_hardly_any_issues(known):
    truth, predictions = known
    count = len(find_label_issues(truth, predictions))
    assert count < 0.005 * COUNT
    assert count < ((predictions[0] >= 0.5) != truth).sum() / 10, "an error is not a label issue"


def test_every_model_must_agree(known):
    truth, predictions = known
    labels = np.where(np.arange(COUNT) < COUNT // 2, truth, 1 - truth)
    both = set(find_label_issues(labels, predictions))
    assert both
    assert both == set(find_label_issues(labels, predictions[:1])) & set(find_label_issues(labels, predictions[1:]))
    assert len(find_label_issues(labels, [predictions[0], np.full(COUNT, 0.5)])) == 0


def test_noise_recovery_counts_the_injected_labels(known):
    result = noise_recovery(*known)
    assert result.injected == pytest.approx(0.05 * COUNT, rel=0.25)
    assert 0.3 * result.injected < result.recovered < result.injected
    assert noise_recovery(*known) == result
