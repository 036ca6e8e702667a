"""Effects with confidence intervals, and the verdicts that follow from them."""

from collections.abc import Sequence
from typing import Literal, NamedTuple

import numpy as np
from scipy import stats

Verdict = Literal["supported", "not supported", "inconclusive"]


class Unit(NamedTuple):
    """The unit of an effect.

    Attributes:
        name: in the report.
        null: the value of no effect.
        margin: the distance from it up to which an effect is too small to matter.
        format: of a value.
        ratio: whether values are multiplied, not added: their mean is the geometric one.
    """

    name: str
    null: float
    margin: float
    format: str
    ratio: bool = False


ACCURACY = Unit("percentage points", 0.0, 0.5, "+.2f")
LOSS = Unit("log loss", 0.0, 0.002, "+.4f")
RATIO = Unit("ratio", 1.0, 0.05, ".2f", ratio=True)
MAGNITUDE = Unit("orders of magnitude", 0.0, 0.1, "+.2f")


class Effect(NamedTuple):
    """One measured quantity; the claim is that it lies above `unit.null`.

    Attributes:
        name: of the comparison, e.g. "bilstm - lstm".
        values: one per repetition: a pair of trainings with the same seed, or a round of timing.
        unit: of the values.
        detail: the compared values.
        informative: False if both models are near chance: a zero difference would mean nothing.
    """

    name: str
    values: Sequence[float]
    unit: Unit
    detail: str = ""
    informative: bool = True

    @property
    def mean(self) -> float:
        """The mean of the values."""
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
        """Not supported: no effect beyond the margin is in the interval. Supported: all of it is above no effect."""
        low, high = self.interval
        if not self.informative:
            return "inconclusive"
        if high < self.unit.null + self.unit.margin:
            return "not supported"
        return "supported" if low > self.unit.null else "inconclusive"

    def __str__(self) -> str:
        low, high = self.interval
        return f"{self.mean:{self.unit.format}} ({low:{self.unit.format}} to {high:{self.unit.format}})"


def combined_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    """Supported if all are; not supported if one is not."""
    if "not supported" in verdicts:
        return "not supported"
    return "inconclusive" if "inconclusive" in verdicts else "supported"
