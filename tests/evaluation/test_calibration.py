"""Temperature scaling and expected calibration error on data of known miscalibration."""

import numpy as np
import pytest

from sentiment_rnn.evaluation.calibration import MAX_TEMPERATURE, expected_calibration_error, fit_temperature
from sentiment_rnn.evaluation.metrics import evaluate, probabilities


def sampled(scale: float, count: int = 50_000) -> tuple[np.ndarray, np.ndarray]:
    """Labels sampled from the probabilities of their logits, and these logits times `scale`."""
    random = np.random.default_rng(0)
    logits = random.normal(0, 2, count)
    labels = (random.random(count) < probabilities(logits)).astype(np.float32)
    return (scale * logits).astype(np.float32), labels


@pytest.mark.parametrize("scale", [3.0, 1.0, 0.4])
def test_the_temperature_recovers_the_scale_of_the_logits(scale):
    logits, labels = sampled(scale)
    assert fit_temperature(logits, labels) == pytest.approx(scale, rel=0.03)


def test_no_other_temperature_has_a_lower_loss():
    logits, labels = sampled(3.0, 2_000)
    best = fit_temperature(logits, labels)
    loss = {factor: evaluate(probabilities(logits / (best * factor)), labels)["log_loss"] for factor in (0.98, 1, 1.02)}
    assert min(loss, key=loss.__getitem__) == 1


def test_a_temperature_lowers_the_calibration_error_and_changes_no_label():
    logits, labels = sampled(3.0)
    before, after = probabilities(logits), probabilities(logits / fit_temperature(logits, labels))
    assert np.array_equal(before >= 0.5, after >= 0.5)
    assert expected_calibration_error(before, labels) > 0.08
    assert expected_calibration_error(after, labels) < 0.01


@pytest.mark.parametrize(("labels", "bound"), [([0, 0, 1, 1], 1 / MAX_TEMPERATURE), ([1, 1, 0, 0], MAX_TEMPERATURE)])
def test_all_correct_or_all_wrong_gives_the_bound(labels, bound):
    assert fit_temperature(np.array([-2.0, -1.0, 1.0, 2.0]), np.array(labels)) == pytest.approx(bound, rel=1e-3)


def test_the_error_equals_one_computed_by_hand():
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
