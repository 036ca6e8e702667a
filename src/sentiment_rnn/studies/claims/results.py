"""Finished experiments, and the effects between them."""

import math
from collections.abc import Sequence
from statistics import mean

from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn.studies.claims.experiment import LANGUAGE_MODEL, Experiment
from sentiment_rnn.studies.claims.timing import step_seconds
from sentiment_rnn.studies.effect import ACCURACY, MAGNITUDE, RATIO, Effect
from sentiment_rnn.studies.experiment import Context, finished_runs

NEAR_CHANCE = 55  # % of test accuracy; a model that is not above it has learned nothing


class Results:
    """Runs by experiment and seed.

    Args:
        client: of the store that has them.
        experiments: the plan.
        context: where they ran.
        timing: the run that timed the training steps.

    Attributes:
        used: ids of the runs that were read since it was last cleared, so that they can be tagged with a claim.
    """

    def __init__(self, client: MlflowClient, experiments: Sequence[Experiment], context: Context, timing: str) -> None:
        self.client = client
        self.timing = timing
        finished = finished_runs(client, context)
        self.runs: dict[str, dict[int, Run]] = {}
        for experiment in experiments:
            if run := finished.get(experiment.key(context)):
                self.runs.setdefault(experiment.name, {})[experiment.seed] = run
        self.used: set[str] = set()

    def by_seed(self, name: str) -> dict[int, Run]:
        """The runs of an experiment by seed."""
        found = self.runs.get(name, {})
        for run in found.values():
            self.used |= {run.info.run_id, run.data.tags.get(LANGUAGE_MODEL, run.info.run_id)}
        return found

    def metric(self, name: str, metric: str = "test_accuracy") -> list[float]:
        """A metric of an experiment, one value per seed."""
        return [run.data.metrics[metric] for run in self.by_seed(name).values()]

    def gradient_norms(self, name: str) -> list[list[float]]:
        """For each seed the gradient's norm by the number of tokens after the token."""
        runs = self.by_seed(name).values()
        histories = [self.client.get_metric_history(run.info.run_id, "gradient_norm") for run in runs]
        return [[metric.value for metric in sorted(history, key=lambda metric: metric.step)] for history in histories]

    def accuracy_diff(self, name: str, baseline: str) -> Effect:
        """Test accuracy minus the baseline's, seed by seed, in percentage points."""
        runs, base = self.by_seed(name), self.by_seed(baseline)
        differences = [
            100 * (runs[seed].data.metrics["test_accuracy"] - base[seed].data.metrics["test_accuracy"])
            for seed in sorted(runs.keys() & base.keys())
        ]
        means = [100 * mean(self.metric(which)) for which in (name, baseline)]
        detail = f"{means[0]:.2f}%, {means[1]:.2f}%"
        return Effect(f"{name} - {baseline}", differences, ACCURACY, detail, informative=max(means) > NEAR_CHANCE)

    def seconds(self, name: str) -> list[float]:
        """Of a training step, one value per round."""
        self.used.add(self.timing)
        return step_seconds(self.client, self.timing, name)

    def time_ratio(self, name: str, baseline: str) -> Effect:
        """Seconds of a step as a multiple of the baseline's, round by round."""
        ratios = [a / b for a, b in zip(self.seconds(name), self.seconds(baseline), strict=True)]
        return Effect(f"{name} / {baseline}", ratios, RATIO)

    def size_ratio(self, name: str, baseline: str) -> Effect:
        """Weights without the embedding's as a multiple of the baseline's."""
        ratios = [a / b for a, b in zip(self.metric(name, "weights"), self.metric(baseline, "weights"), strict=True)]
        return Effect(f"{name} / {baseline}", ratios, RATIO)

    def gradient_ratio(self, name: str, baseline: str, steps: int) -> Effect:
        """Relative gradient norm `steps` back, divided by the baseline's, seed by seed, in orders of magnitude."""
        logs, base = (
            [math.log10(norms[steps] / norms[0]) for norms in self.gradient_norms(which)] for which in (name, baseline)
        )
        return Effect(
            f"{name} / {baseline}, {steps} steps back", [a - b for a, b in zip(logs, base, strict=True)], MAGNITUDE
        )
