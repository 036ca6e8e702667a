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
FEW_LABELS = Unit("percentage points", 0.0, 2.0, "+.2f")  # with few labels seeds differ by points
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
        sampling: variance of the mean from the sampling of the test reviews, and its degrees of freedom.
    """

    name: str
    values: Sequence[float]
    unit: Unit
    detail: str = ""
    informative: bool = True
    sampling: tuple[float, int] = (0.0, 1)

    @property
    def mean(self) -> float:
        """The mean of the values."""
        return float(np.exp(np.mean(np.log(self.values))) if self.unit.ratio else np.mean(self.values))

    @property
    def interval(self) -> tuple[float, float]:
        """The 95% interval of the mean, by Student's t over the repetitions."""
        center, error, freedom = self._student()
        half = stats.t.ppf(0.975, freedom) * error
        return self._from_scale(center - half), self._from_scale(center + half)

    @property
    def p_difference(self) -> float:
        """Of the two-sided test that there is no effect."""
        return float(2 * min(self._p_above(self.unit.null), 1 - self._p_above(self.unit.null)))

    @property
    def p_equivalence(self) -> float:
        """Of two one-sided tests that the effect is beyond the margin (Schuirmann, 1987)."""
        null, margin = self.unit.null, self.unit.margin
        low, high = (null / (1 + margin), null + margin) if self.unit.ratio else (null - margin, null + margin)
        return float(max(self._p_above(low), 1 - self._p_above(high)))

    def seeds_that_decide(self, alpha: float) -> float:
        """Repetitions for a power of .8 to detect an effect as large as the margin.

        Infinite if the test split is too small for it.

        Args:
            alpha: of the two-sided test, corrected for the number of tests.
        """
        margin = np.log1p(self.unit.margin) if self.unit.ratio else self.unit.margin
        variance = np.var(self._scaled(), ddof=1)
        for n in (*range(2, 100), *range(100, 1000, 10)):
            error = np.sqrt(variance / n + self.sampling[0])
            if margin >= (stats.t.ppf(1 - alpha / 2, n - 1) + stats.t.ppf(0.8, n - 1)) * error:
                return n
        return float("inf")

    def _p_above(self, value: float) -> float:
        """Of the one-sided test that the mean is not above `value`."""
        center, error, freedom = self._student()
        distance = center - self._to_scale(value)
        if error == 0:
            return 0.5 if distance == 0 else float(distance < 0)
        return float(stats.t.sf(distance / error, freedom))

    def _student(self) -> tuple[float, float, float]:
        """Mean, standard error, degrees of freedom (Welch & Satterthwaite), on the scale on which values are added."""
        values = self._scaled()
        seeds, (reviews, blocks) = np.var(values, ddof=1) / len(values), self.sampling
        total = seeds + reviews
        freedom = total**2 / (seeds**2 / (len(values) - 1) + reviews**2 / blocks) if total else 1.0
        return float(values.mean()), float(np.sqrt(total)), float(freedom)

    def _scaled(self) -> np.ndarray:
        return np.log(self.values) if self.unit.ratio else np.asarray(self.values)

    def _to_scale(self, value: float) -> float:
        return float(np.log(value)) if self.unit.ratio else value

    def _from_scale(self, value: float) -> float:
        return float(np.exp(value)) if self.unit.ratio else float(value)

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
