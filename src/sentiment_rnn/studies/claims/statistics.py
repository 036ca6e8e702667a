"""Decisions on a family of effects: differences and equivalences, corrected by Holm; shares of solved seeds."""

from collections.abc import Sequence
from typing import Literal, NamedTuple, Protocol

import numpy as np
from scipy import optimize, stats

from sentiment_rnn.studies.effect import Unit

ALPHA = 0.05
SHARE = Unit("percentage points of the seeds", 0.0, 30.0, "+.0f")
Decision = Literal["supported", "equivalent", "opposite", "inconclusive", "not measured"]


class Comparison(Protocol):
    """What a decision needs of an effect: `Effect` and `SolvedShares` have it."""

    @property
    def name(self) -> str:
        """What is compared."""

    @property
    def values(self) -> Sequence[float]:
        """One per repetition."""

    @property
    def unit(self) -> Unit:
        """Its null and margin."""

    @property
    def detail(self) -> str:
        """The compared values."""

    @property
    def informative(self) -> bool:
        """False if both sides are near chance."""

    @property
    def mean(self) -> float:
        """The estimate."""

    @property
    def interval(self) -> tuple[float, float]:
        """Its 95% interval."""

    @property
    def p_difference(self) -> float:
        """Of the two-sided test that there is no effect."""

    @property
    def p_equivalence(self) -> float:
        """Of the two one-sided tests that the effect is beyond the margin."""

    def seeds_that_decide(self, alpha: float) -> float:
        """Repetitions for a power of .8."""


class SolvedShares(NamedTuple):
    """The difference between two shares of seeds that solve a task.

    Attributes:
        name: of the comparison.
        solved: by seed, whether the task was solved.
        baseline: the same of the other side, with the same seeds.
    """

    name: str
    solved: Sequence[bool]
    baseline: Sequence[bool]

    @property
    def values(self) -> Sequence[float]:
        """100 where only this side solves the task, -100 where only the other does, else 0."""
        return [100.0 * (a - b) for a, b in zip(self.solved, self.baseline, strict=True)]

    @property
    def unit(self) -> Unit:
        """Percentage points of the seeds."""
        return SHARE

    @property
    def detail(self) -> str:
        """Both shares."""
        return ", ".join(f"{sum(side)} of {len(side)} seeds" for side in (self.solved, self.baseline))

    @property
    def informative(self) -> bool:
        """Whether a side solves it at all: two that fail are not equivalent."""
        return any(self.solved) or any(self.baseline)

    @property
    def mean(self) -> float:
        """The difference in percentage points."""
        return float(np.mean(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the difference."""
        return self._newcombe(0.95)

    @property
    def p_difference(self) -> float:
        """McNemar's exact test: of the seeds that one side alone solves."""
        wins, losses = (sum(value == sign for value in self.values) for sign in (100, -100))
        return float(stats.binomtest(wins, wins + losses).pvalue) if wins + losses else 1.0

    @property
    def p_equivalence(self) -> float:
        """The smallest alpha whose interval of 1 - 2 alpha lies within the margin."""

        def excess(alpha: float) -> float:
            low, high = self._newcombe(1 - 2 * alpha)
            return max(-low, high) - self.unit.margin

        return 1.0 if excess(0.499) > 0 else float(optimize.brentq(excess, 1e-9, 0.499))

    def seeds_that_decide(self, alpha: float) -> float:
        """Seeds for a power of .8 of McNemar's exact test, if one side solves it `SHARE.margin` more often."""
        rate = max(abs(self.mean), self.unit.margin) / 100
        for n in range(2, 400):
            wins = np.arange(n + 1)
            rejects = 2 * 0.5**wins <= alpha  # all discordant seeds on one side
            if stats.binom.pmf(wins, n, rate)[rejects].sum() >= 0.8:
                return n
        return float("inf")

    def _newcombe(self, confidence: float) -> tuple[float, float]:
        """The interval of a difference of shares from Wilson's intervals of both (Newcombe, 1998)."""
        shares, bounds = [], []
        for side in (self.solved, self.baseline):
            test = stats.binomtest(sum(side), len(side))
            shares.append(sum(side) / len(side))
            bounds.append(test.proportion_ci(confidence, method="wilson"))
        difference = shares[0] - shares[1]
        below = np.hypot(shares[0] - bounds[0].low, bounds[1].high - shares[1])
        above = np.hypot(bounds[0].high - shares[0], shares[1] - bounds[1].low)
        return float(100 * (difference - below)), float(100 * (difference + above))

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:+.0f} ({low:+.0f} to {high:+.0f})"


def holm(p_values: Sequence[float]) -> np.ndarray:
    """P-values adjusted for their number, so that the chance of any false rejection is bounded (Holm, 1979)."""
    ordered = np.argsort(p_values)
    factors = len(p_values) - np.arange(len(p_values))
    adjusted = np.empty(len(p_values))
    adjusted[ordered] = np.minimum(1, np.maximum.accumulate(factors * np.asarray(p_values)[ordered]))
    return adjusted


def decide(effects: Sequence[Comparison]) -> list[Decision]:
    """A decision on each effect; differences and equivalences are two families, each corrected by Holm.

    An effect that is significant and equivalent is too small to matter: equivalent.
    """
    measured = [effect for effect in effects if is_measured(effect)]
    differences = holm([effect.p_difference for effect in measured])
    equivalences = holm([effect.p_equivalence for effect in measured])
    found = iter(zip(measured, differences, equivalences, strict=True))
    return [_decision(*next(found)) if is_measured(effect) else "not measured" for effect in effects]


def is_measured(effect: Comparison) -> bool:
    """Whether there are the repetitions that an interval needs."""
    return len(effect.values) > 1


def _decision(effect: Comparison, difference: float, equivalence: float) -> Decision:
    if not effect.informative:
        return "inconclusive"
    if equivalence < ALPHA:
        return "equivalent"
    if difference < ALPHA:
        return "supported" if effect.mean > effect.unit.null else "opposite"
    return "inconclusive"


def combined(decisions: Sequence[Decision]) -> Decision:
    """Supported if all effects are; not, if one is opposite or equivalent."""
    order: tuple[Decision, ...] = ("not measured", "opposite", "equivalent", "inconclusive")
    return next((decision for decision in order if decision in decisions), "supported")
