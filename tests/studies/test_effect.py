import numpy as np
import pytest
from scipy import stats

from sentiment_rnn.studies.effect import DECADES, POINTS, TIMES, Effect, together


def test_interval_is_that_of_a_one_sample_t_test() -> None:
    values = [0.4, 1.1, 0.7, 0.2]
    expected = stats.ttest_1samp(values, 0).confidence_interval(0.95)
    assert Effect("a - b", values, POINTS).interval == pytest.approx((expected.low, expected.high))


@pytest.mark.parametrize(
    ("values", "unit", "verdict"),
    [
        ([1.0, 1.1, 0.9], POINTS, "holds"),
        ([0.1, 0.11, 0.09], POINTS, "does not hold"),  # surely there, and too small to matter
        ([-1.0, -1.1, -0.9], POINTS, "does not hold"),
        ([0.1, -0.1, 0.0], POINTS, "does not hold"),  # nothing of half a point can hide in it
        ([3.0, -1.0, 1.0], POINTS, "undecided"),
        ([1.9, 2.0, 2.1], TIMES, "holds"),
        ([0.9, 0.91, 0.89], TIMES, "does not hold"),
        ([0.02, 0.01, 0.0], DECADES, "does not hold"),
    ],
)
def test_verdict(values: list[float], unit: object, verdict: str) -> None:
    assert Effect("a - b", values, unit).verdict == verdict  # type: ignore[arg-type]


def test_the_interval_covers_the_truth_as_often_as_it_says() -> None:
    random = np.random.default_rng(7)
    covered = 0
    for _ in range(1_000):
        low, high = Effect("a - b", random.normal(0.3, 1.0, size=3), POINTS).interval
        covered += low <= 0.3 <= high
    assert 920 <= covered <= 980


def test_a_claim_of_several_holds_only_if_all_do() -> None:
    assert together(["holds", "holds"]) == "holds"
    assert together(["holds", "undecided"]) == "undecided"
    assert together(["holds", "undecided", "does not hold"]) == "does not hold"
