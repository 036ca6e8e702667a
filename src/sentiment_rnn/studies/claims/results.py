"""Effects between finished experiments."""

import math
from collections.abc import Sequence
from statistics import mean

import numpy as np

from sentiment_rnn.studies.claims.statistics import SolvedShares
from sentiment_rnn.studies.claims.summary import Result
from sentiment_rnn.studies.claims.timing import ACTIVATIONS, SECONDS, WEIGHTS
from sentiment_rnn.studies.effect import ACCURACY, MAGNITUDE, RATIO, Effect, Unit

NEAR_CHANCE = 55  # % of test accuracy; a model that is not above it has learned nothing


class Results:
    """Results by experiment and seed.

    Args:
        found: results of the plan's experiments, in any order.
        costs: results of the timing of training steps, by the label of the setting.

    Attributes:
        used: names of the experiments that were read since it was last cleared.
    """

    def __init__(self, found: Sequence[Result], costs: dict[str, Result]) -> None:
        self.by_name: dict[str, dict[int, Result]] = {}
        for result in found:
            self.by_name.setdefault(result.name, {})[result.seed] = result
        self.costs = costs
        self.used: set[str] = set()

    def machines(self) -> list[str]:
        """The machines that measured, as far as they were recorded."""
        found = [*self.costs.values(), *(one for results in self.by_name.values() for one in results.values())]
        return sorted({result.machine for result in found} - {""})

    def by_seed(self, name: str) -> dict[int, Result]:
        """The results of an experiment by seed."""
        self.used.add(name)
        return self.by_name.get(name, {})

    def metric(self, name: str, metric: str = "test_accuracy") -> list[float]:
        """A metric of an experiment, one value per seed."""
        return [result.metrics[metric] for result in self.by_seed(name).values()]

    def series(self, name: str, metric: str) -> list[dict[int, float]]:
        """A metric of an experiment by step, for each seed."""
        return [result.series.get(metric, {}) for result in self.by_seed(name).values()]

    def runs(self, names: Sequence[str]) -> set[str]:
        """The ids of the MLflow runs of experiments."""
        costs = {f"cost, {label}": {0: result} for label, result in self.costs.items()}
        found = [results for name in names for results in (self.by_name | costs).get(name, {}).values()]
        return {run_id for result in found for run_id in result.runs}

    def accuracy_diff(self, name: str, baseline: str, unit: Unit = ACCURACY) -> Effect:
        """Test accuracy minus the baseline's, seed by seed, in percentage points."""
        pairs = self._pairs(name, baseline)
        accuracies = [[result.metrics["test_accuracy"] for result in pair] for pair in pairs]
        blocks = [[list(result.series["test_block_accuracy"].values()) for result in pair] for pair in pairs]
        means = [100 * mean(side) for side in zip(*accuracies, strict=True)]
        return Effect(
            _versus(name, baseline, " - "),
            [100 * (a - b) for a, b in accuracies],
            unit,
            ", ".join(f"{value:.2f}%" for value in means),
            informative=max(means, default=100) > NEAR_CHANCE,
            sampling=_sampling([100 * (np.array(a) - np.array(b)) for a, b in blocks]),
        )

    def solved_diff(self, name: str, baseline: str) -> SolvedShares:
        """The share of seeds that solve a task, and the baseline's."""
        solved = [[bool(result.metrics["solved"]) for result in pair] for pair in self._pairs(name, baseline)]
        return SolvedShares(_versus(name, baseline, " - "), [a for a, _ in solved], [b for _, b in solved])

    def steps_ratio(self, name: str, baseline: str) -> Effect:
        """How many times as many steps the baseline needs until the task is solved, seed by seed.

        A training that did not solve it counts with all its steps.
        """
        steps = [[result.metrics["steps"] for result in pair] for pair in self._pairs(name, baseline)]
        means = ", ".join(f"{mean(side):,.0f} steps" for side in zip(*steps, strict=True))
        solved = any(result.metrics["solved"] for pair in self._pairs(name, baseline) for result in pair)
        ratios, label = [b / a for a, b in steps], f"steps of {_versus(baseline, name, ' / ')}"
        return Effect(label, ratios, RATIO, means, informative=solved)

    def capacity_ratio(self, name: str, baseline: str) -> Effect:
        """Memory capacity as a multiple of the baseline's, seed by seed."""
        values = [[result.metrics["memory_capacity"] for result in pair] for pair in self._pairs(name, baseline)]
        means = ", ".join(f"{mean(side):.1f} steps" for side in zip(*values, strict=True))
        return Effect(_versus(name, baseline, " / "), [a / b for a, b in values], RATIO, means)

    def gradient_ratio(self, name: str, baseline: str, metric: str, steps: int) -> Effect:
        """Gradient norm `steps` back relative to the last step's, as a multiple of the baseline's, seed by seed."""
        norms = [[result.series[metric] for result in pair] for pair in self._pairs(name, baseline)]
        logs = [[math.log10(by_step[steps] / by_step[0]) for by_step in pair] for pair in norms]
        label = f"{_versus(name, baseline, ' / ')}, {steps} steps back"
        return Effect(label, [a - b for a, b in logs], MAGNITUDE)

    def time_ratios(self, name: str, baseline: str) -> list[Effect]:
        """Seconds of a step as a multiple of the baseline's, round by round, in each setting."""
        return [
            Effect(
                f"{name} / {baseline}, {label}",
                [a / b for a, b in zip(*(seconds(cost, which) for which in (name, baseline)), strict=True)],
                RATIO,
                ", ".join(f"{1000 * mean(seconds(cost, which)):.0f} ms" for which in (name, baseline)),
            )
            for label, cost in self._costs().items()
        ]

    def size_ratio(self, name: str, baseline: str) -> list[Effect]:
        """Weights without the embedding's as a multiple of the baseline's."""
        for cost in self._costs().values():
            a, b = cost.metrics[name + WEIGHTS], cost.metrics[baseline + WEIGHTS]
            return [Effect(f"{name} / {baseline}", [a / b] * 2, RATIO, f"{a:,.0f}, {b:,.0f} weights")]
        return []

    def _costs(self) -> dict[str, Result]:
        self.used |= {f"cost, {label}" for label in self.costs}
        return self.costs

    def _pairs(self, name: str, baseline: str) -> list[tuple[Result, Result]]:
        found, base = self.by_seed(name), self.by_seed(baseline)
        return [(found[seed], base[seed]) for seed in sorted(found.keys() & base.keys())]


def _versus(name: str, baseline: str, operator: str) -> str:
    """Both names; what both end with is not repeated."""
    ours, theirs = name.split(", "), baseline.split(", ")
    common: list[str] = []
    while len(ours) > 1 and len(theirs) > 1 and ours[-1] == theirs[-1]:
        common.insert(0, ours.pop())
        theirs.pop()
    return ", ".join([f"{', '.join(ours)}{operator}{', '.join(theirs)}", *common])


def seconds(cost: Result, name: str) -> list[float]:
    """An architecture's seconds per step, by round."""
    return list(cost.series[name + SECONDS].values())


def activations(cost: Result, name: str) -> float:
    """Megabytes that an architecture saves for the backward pass."""
    return cost.metrics[name + ACTIVATIONS]


def _sampling(differences: Sequence[np.ndarray]) -> tuple[float, int]:
    """The variance of the mean difference from the sampling of test reviews, by its spread over their blocks."""
    if not differences:
        return 0.0, 1
    by_block = np.mean(differences, axis=0)
    return float(np.var(by_block, ddof=1) / len(by_block)), len(by_block) - 1
