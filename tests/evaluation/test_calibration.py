"""Temperature and expected calibration error against miscalibrations that are known."""

import numpy as np
import pytest

from sentiment_rnn.evaluation.calibration import FURTHEST, expected_calibration_error, temperature
from sentiment_rnn.evaluation.metrics import evaluate, probabilities


def drawn(scale: float, count: int = 50_000) -> tuple[np.ndarray, np.ndarray]:
    """Labels drawn as probable as their logits say, and those logits `scale` times too large."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, count)
    labels = (random.random(count) < probabilities(logits)).astype(np.float32)
    return (scale * logits).astype(np.float32), labels


@pytest.mark.parametrize("scale", [3.0, 1.0, 0.4])
def test_the_temperature_is_how_much_too_large_the_logits_are(scale):
    logits, labels = drawn(scale)
    assert temperature(logits, labels) == pytest.approx(scale, rel=0.03)


def test_no_other_temperature_has_a_lower_loss():
    logits, labels = drawn(3.0, 2_000)
    best = temperature(logits, labels)
    loss = {factor: evaluate(probabilities(logits / (best * factor)), labels)["log_loss"] for factor in (0.98, 1, 1.02)}
    assert min(loss, key=loss.__getitem__) == 1


def test_a_temperature_mends_the_error_and_changes_no_label():
    logits, labels = drawn(3.0)
    before, after = probabilities(logits), probabilities(logits / temperature(logits, labels))
    assert np.array_equal(before >= 0.5, after >= 0.5)
    assert expected_calibration_error(before, labels) > 0.08
    assert expected_calibration_error(after, labels) < 0.01


@pytest.mark.parametrize(("labels", "end"), [([0, 0, 1, 1], 1 / FURTHEST), ([1, 1, 0, 0], FURTHEST)])
def test_reviews_that_are_all_right_or_all_wrong_give_an_end_of_the_range(labels, end):
    assert temperature(np.array([-2.0, -1.0, 1.0, 2.0]), np.array(labels)) == pytest.approx(end, rel=1e-3)


def test_the_error_equals_one_worked_out_by_hand():
    # bins are 1/15 = .0667 wide: .52 and .53 lie in (.4667, .5333], .55 in the next, .95 and .98 in the last
    positive = np.array([0.53, 0.48, 0.55, 0.95, 0.02, 0.98])
    labels = np.array([1, 1, 1, 1, 0, 0])
    first = abs((1 + 0) / 2 - (0.53 + 0.52) / 2)
    second = abs(1 - 0.55)
    last = abs((1 + 1 + 0) / 3 - (0.95 + 0.98 + 0.98) / 3)
    assert expected_calibration_error(positive, labels) == pytest.approx((2 * first + second + 3 * last) / 6)


def test_the_error_is_from_0_to_1():
    assert expected_calibration_error(np.array([1.0, 0.0, 1.0]), np.array([1, 0, 1])) == 0
    assert expected_calibration_error(np.array([1.0, 0.0]), np.array([0, 1])) == 1
    assert expected_calibration_error(np.array([0.5, 0.5]), np.array([0, 1])) == 0
