"""Decisions on a family of effects, against scipy and published numbers."""

import numpy as np
import pytest
from scipy import stats

from sentiment_rnn.studies.claims.statistics import SolvedShares, combined, decide, holm
from sentiment_rnn.studies.effect import ACCURACY, RATIO, Effect


def test_holm_adjusts_by_the_number_of_remaining_tests() -> None:
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([0.5, 0.9]).max() <= 1
    assert holm([]).tolist() == []


def shares(solved: int, baseline: int, seeds: int) -> SolvedShares:
    return SolvedShares("lstm - rnn", [n < solved for n in range(seeds)], [n >= seeds - baseline for n in range(seeds)])


def test_the_interval_of_a_difference_of_shares_is_newcombes() -> None:
    # Newcombe (1998), method 10, on 9 of 10 against 3 of 10
    assert shares(9, 3, 10).interval == pytest.approx((17.05, 80.90), abs=0.01)


def test_shares_are_compared_by_mcnemars_exact_test() -> None:
    assert shares(10, 0, 10).p_difference == pytest.approx(2 * 0.5**10)
    assert shares(8, 4, 10).p_difference == pytest.approx(stats.binomtest(6, 8).pvalue)  # both solve two
    assert shares(5, 0, 10).p_difference == pytest.approx(2 * 0.5**5)
    assert shares(10, 10, 10).p_difference == 1


def test_shares_are_equivalent_if_the_interval_lies_within_the_margin() -> None:
    both = shares(20, 20, 20)
    low, high = both._newcombe(1 - 2 * both.p_equivalence)
    assert max(-low, high) == pytest.approx(both.unit.margin, abs=1e-3)
    assert both.p_equivalence < 0.01
    assert shares(20, 0, 20).p_equivalence == 1


def test_decisions_are_corrected_for_the_size_of_the_family() -> None:
    values = [0.2, 0.9, 1.4, 0.5, 1.1]  # p = .018
    effect = Effect("a - b", values, ACCURACY)
    assert 0.01 < effect.p_difference < 0.025
    assert decide([effect]) == ["supported"]
    nothing = Effect("c - d", [3.0, -3.0, 2.0, -2.0, 0.1], ACCURACY)
    assert decide([effect, nothing, nothing]) == ["inconclusive"] * 3


@pytest.mark.parametrize(
    ("values", "decision"),
    [
        ([2.0, 2.1, 1.9], "supported"),
        ([-2.0, -2.1, -1.9], "opposite"),
        ([0.1, -0.1, 0.0], "equivalent"),
        ([0.1, 0.11, 0.09], "equivalent"),  # significant, but too small to matter
        ([3.0, -1.0, 1.0], "inconclusive"),
        ([], "not measured"),
        ([1.0], "not measured"),
    ],
)
def test_decision(values: list[float], decision: str) -> None:
    assert decide([Effect("a - b", values, ACCURACY)]) == [decision]


def test_two_sides_near_chance_decide_nothing() -> None:
    assert decide([Effect("a - b", [0.0, 0.1, -0.1], ACCURACY, informative=False)]) == ["inconclusive"]
    assert decide([shares(0, 0, 30)]) == ["inconclusive"]


def test_a_claim_is_supported_only_if_all_its_effects_are() -> None:
    assert combined(["supported", "supported"]) == "supported"
    assert combined(["supported", "inconclusive"]) == "inconclusive"
    assert combined(["supported", "equivalent", "inconclusive"]) == "equivalent"
    assert combined(["supported", "not measured"]) == "not measured"


def test_the_number_of_seeds_has_the_promised_power() -> None:
    rng = np.random.default_rng(7)
    values = rng.normal(0.3, 0.4, 30).tolist()
    seeds = int(Effect("a - b", values, ACCURACY).seeds_that_decide(0.01))
    spread, quantile = np.std(values, ddof=1), stats.t.ppf(0.995, seeds - 1)
    power = stats.nct.sf(quantile, seeds - 1, ACCURACY.margin / spread * np.sqrt(seeds))
    assert power == pytest.approx(0.8, abs=0.06)
    assert Effect("a - b", values, ACCURACY, sampling=(1.0, 49)).seeds_that_decide(0.01) == float("inf")
    assert Effect("a / b", [1.1, 1.2, 1.15], RATIO).seeds_that_decide(0.05) < 30
