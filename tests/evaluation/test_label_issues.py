"""Labels that were turned round on purpose are found again; honest errors are not."""

import numpy as np
import pytest

from sentiment_rnn.evaluation.label_issues import label_issues, planted

COUNT = 4_000


@pytest.fixture(scope="module")
def known() -> tuple[np.ndarray, list[np.ndarray]]:
    """True labels, and what two models with errors of their own say: one of them far too sure of itself."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, COUNT)
    logits = [scale * (2 * (2 * labels - 1) + random.normal(0, 1.2, COUNT)) for scale in (1.0, 3.0)]
    return labels, [1 / (1 + np.exp(-each)) for each in logits]


def test_planted_labels_are_found_and_few_others(known):
    truth, said = known
    turned = np.random.default_rng(1).choice(COUNT, 200, replace=False)
    labels = truth.copy()
    labels[turned] = 1 - labels[turned]
    found = label_issues(labels, said)
    hits = np.isin(found, turned)
    assert hits.sum() > 0.3 * 200, "both must be surer than they are on average"
    assert hits.mean() > 0.9
    assert hits[:50].all(), "the most decided first"


def test_clean_labels_raise_hardly_a_suspicion(known):
    truth, said = known
    assert len(label_issues(truth, said)) < 0.005 * COUNT
    wrong = ((said[0] >= 0.5) != truth).sum()
    assert len(label_issues(truth, said)) < wrong / 10, "an error is not a wrong label"


def test_every_model_must_agree(known):
    truth, said = known
    labels = 1 - truth
    labels[: COUNT // 2] = truth[: COUNT // 2]
    both = set(label_issues(labels, said))
    assert both <= set(label_issues(labels, said[:1]))
    assert both <= set(label_issues(labels, said[1:]))
    assert len(label_issues(labels, [said[0], np.full(COUNT, 0.5)])) == 0


def test_the_check_counts_what_it_planted(known):
    truth, said = known
    result = planted(truth, said)
    assert result.turned == pytest.approx(0.05 * COUNT, rel=0.25)
    assert 0.3 * result.turned < result.found < result.turned
    assert planted(truth, said) == result
