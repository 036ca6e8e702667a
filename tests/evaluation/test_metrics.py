"""Metrics against published values and ones computed by hand."""

import math
from itertools import product

import numpy as np
import pytest

from sentiment_rnn.evaluation.metrics import evaluate, probabilities, wilson

POSITIVE = np.array([0.9, 0.8, 0.4, 0.5, 0.3, 0.1, 0.6])
LABELS = np.array([1, 1, 1, 0, 0, 0, 1])


@pytest.mark.parametrize(
    ("successes", "count", "low", "high"),
    [  # Newcombe (1998), table I: Wilson's score interval without continuity correction
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_published_intervals(successes, count, low, high):
    assert wilson(successes, count) == pytest.approx((low, high), abs=5e-5)


@pytest.mark.parametrize(("successes", "count"), [(1, 3), (7, 10), (50, 80), (22_300, 25_000)])
def test_wilson_solves_its_equation(successes, count):
    proportion = successes / count
    for end in wilson(successes, count):  # each end is 1.96 of its own standard errors away
        assert abs(proportion - end) == pytest.approx(1.959964 * math.sqrt(end * (1 - end) / count), rel=1e-6)


def test_wilson_stays_between_0_and_1_and_is_symmetric():
    for count in (1, 5, 100):
        low, high = wilson(count, count)
        assert 0 < low < high <= 1 + 1e-12
        assert wilson(0, count) == pytest.approx((1 - high, 1 - low))


def test_probabilities_are_the_logistic_of_the_logits_in_float64():
    positive = probabilities(np.array([0.0, math.log(3), -math.log(3), 30.0], dtype=np.float32))
    assert positive.dtype == np.float64
    assert positive == pytest.approx([0.5, 0.75, 0.25, 1.0], abs=1e-7)
    assert positive[3] < 1, "float32 would round it to 1: an infinite loss if it were wrong"


def test_metrics_equal_those_computed_by_hand():
    report = evaluate(POSITIVE, LABELS)  # predicted positive: .9 .8 .5 .6; correct: .9 .8 .6 and .3 .1
    assert report["n"] == 7
    assert report["accuracy"] == 5 / 7
    assert report["accuracy_interval"] == list(wilson(5, 7))
    assert report["confusion"] == [[2, 1], [1, 3]]
    precision, recall = 3 / 4, 3 / 4
    assert report["f1"] == pytest.approx(2 * precision * recall / (precision + recall))
    pairs = list(product(POSITIVE[LABELS == 1], POSITIVE[LABELS == 0]))
    assert report["roc_auc"] == pytest.approx(sum((p > n) + 0.5 * (p == n) for p, n in pairs) / len(pairs))
    likelihood = [0.9, 0.8, 0.4, 0.5, 0.7, 0.9, 0.6]
    assert report["log_loss"] == pytest.approx(-sum(map(math.log, likelihood)) / 7)


def test_one_half_is_predicted_positive():
    report = evaluate(np.array([0.5, 0.4999]), np.array([1, 0]))
    assert report["accuracy"] == 1
    assert report["confusion"] == [[1, 0], [0, 1]]


def test_labels_may_be_floats_and_the_result_is_plain_json():
    report = evaluate(POSITIVE, LABELS.astype(np.float32))
    assert report == evaluate(POSITIVE, LABELS)
    assert {type(value) for value in report.values()} == {int, float, list}
