"""Intervals and verdicts."""

import numpy as np
import pytest
from scipy import stats

from sentiment_rnn.studies.effect import ACCURACY, MAGNITUDE, RATIO, Effect, combined_verdict


def test_the_interval_is_that_of_a_one_sample_t_test() -> None:
    values = [0.4, 1.1, 0.7, 0.2]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert Effect("a - b", values, ACCURACY).interval == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("values", "unit", "verdict"),
    [
        ([1.0, 1.1, 0.9], ACCURACY, "supported"),
        ([0.1, 0.11, 0.09], ACCURACY, "not supported"),  # significant, but too small to matter
        ([-1.0, -1.1, -0.9], ACCURACY, "not supported"),
        ([0.1, -0.1, 0.0], ACCURACY, "not supported"),  # the interval excludes half a percentage point
        ([3.0, -1.0, 1.0], ACCURACY, "inconclusive"),
        ([1.9, 2.0, 2.1], RATIO, "supported"),
        ([0.9, 0.91, 0.89], RATIO, "not supported"),
        ([0.02, 0.01, 0.0], MAGNITUDE, "not supported"),
    ],
)
def test_verdict(values: list[float], unit: object, verdict: str) -> None:
    assert Effect("a - b", values, unit).verdict == verdict  # type: ignore[arg-type]


def test_two_models_near_chance_are_inconclusive() -> None:
    assert Effect("a - b", [0.0, 0.1, -0.1], ACCURACY, informative=False).verdict == "inconclusive"


def test_a_claim_is_supported_only_if_all_its_effects_are() -> None:
    assert combined_verdict(["supported", "supported"]) == "supported"
    assert combined_verdict(["supported", "inconclusive"]) == "inconclusive"
    assert combined_verdict(["supported", "inconclusive", "not supported"]) == "not supported"


def test_the_geometric_mean_of_ratios() -> None:
    assert Effect("a / b", [0.5, 2.0], RATIO).mean == pytest.approx(1.0)
    low, high = Effect("a / b", [1.0, 2.0, 4.0], RATIO).interval
    assert np.sqrt(low * high) == pytest.approx(2.0)


def test_p_values_are_scipys() -> None:
    values = [0.4, 1.1, 0.7, 0.2]
    effect = Effect("a - b", values, ACCURACY)
    assert effect.p_difference == pytest.approx(stats.ttest_1samp(values, 0).pvalue)
    above = stats.ttest_1samp(values, -0.5, alternative="greater").pvalue
    below = stats.ttest_1samp(values, 0.5, alternative="less").pvalue
    assert effect.p_equivalence == pytest.approx(max(above, below))
    ratio = Effect("a / b", [1.01, 0.99, 1.02], RATIO)
    logs = np.log(ratio.values)
    above = stats.ttest_1samp(logs, -np.log(1.05), alternative="greater").pvalue
    below = stats.ttest_1samp(logs, np.log(1.05), alternative="less").pvalue
    assert ratio.p_equivalence == pytest.approx(max(above, below))


def test_the_sampling_of_test_reviews_widens_the_interval() -> None:
    values = [0.4, 1.1, 0.7, 0.2]
    variance = np.var(values, ddof=1) / 4
    low, high = Effect("a - b", values, ACCURACY, sampling=(variance, 3)).interval
    # as much variance again, with as many degrees of freedom: sqrt(2) times the error, with 6
    half = stats.t.ppf(0.975, 6) * np.sqrt(2 * variance)
    assert (low, high) == pytest.approx((0.6 - half, 0.6 + half))


def test_equal_values_are_certain() -> None:
    assert Effect("a / b", [1.3, 1.3], RATIO).p_difference == 0
    assert Effect("a / b", [1.0, 1.0], RATIO).p_equivalence == 0
    assert Effect("a / b", [1.0, 1.0], RATIO).p_difference == 1
