"""From measured differences to a verdict."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Verdict = Literal["supported", "not supported", "inconclusive"]


class Unit(NamedTuple):
    """What an effect is measured in.

    Attributes:
        name: as the report says it.
        nothing: the value of no effect.
        margin: how far from it an effect is too small to matter.
        format: of a value.
        ratio: whether values are multiplied, not added: their mean is the geometric one.
    """

    name: str
    nothing: float
    margin: float
    format: str
    ratio: bool = False


POINTS = Unit("percentage points of test accuracy", 0.0, 0.5, "+.2f")
LOSS = Unit("of validation loss saved", 0.0, 0.002, "+.4f")
TIMES = Unit("times", 1.0, 0.05, ".2f", ratio=True)
DECADES = Unit("orders of magnitude", 0.0, 0.1, "+.2f")


class Effect(NamedTuple):
    """One measured quantity; the claim is that it lies above `unit.nothing`.

    Attributes:
        what: in words, e.g. "bilstm - lstm".
        values: one a repetition: a pair of trainings with one seed, a round of timing.
        unit: of the values.
        detail: what is compared, in figures.
        informative: False where neither side has learned anything, so that no difference says nothing.
    """

    what: str
    values: Sequence[float]
    unit: Unit
    detail: str = ""
    informative: bool = True

    @property
    def mean(self) -> float:
        """Of the values."""
        return float(np.exp(np.mean(np.log(self.values))) if self.unit.ratio else np.mean(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, by Student's t over the repetitions."""
        values = np.log(self.values) if self.unit.ratio else np.asarray(self.values)
        half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
        low, high = values.mean() - half, values.mean() + half
        return (float(np.exp(low)), float(np.exp(high))) if self.unit.ratio else (float(low), float(high))

    @property
    def verdict(self) -> Verdict:
        """Does not hold: no effect that matters lies in the interval. Holds: all of it is above no effect."""
        low, high = self.interval
        if not self.informative:
            return "inconclusive"
        if high < self.unit.nothing + self.unit.margin:
            return "not supported"
        return "supported" if low > self.unit.nothing else "inconclusive"

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:{self.unit.format}} ({low:{self.unit.format}} to {high:{self.unit.format}})"


def together(verdicts: Sequence[Verdict]) -> Verdict:
    """Of a claim that says several things at once: it holds if all do, and does not if one does not."""
    if "not supported" in verdicts:
        return "not supported"
    return "inconclusive" if "inconclusive" in verdicts else "supported"
