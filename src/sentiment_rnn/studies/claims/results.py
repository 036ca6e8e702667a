"""Finished experiments, as the claims ask for them."""

import math
from collections.abc import Sequence
from statistics import mean

from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn.studies.claims.experiment import LANGUAGE_MODEL, Experiment
from sentiment_rnn.studies.claims.timing import step_seconds
from sentiment_rnn.studies.effect import DECADES, POINTS, TIMES, Effect
from sentiment_rnn.studies.experiment import Context, finished_runs

LEARNED = 55  # % of test accuracy from which on something has been learned


class Results:
    """Runs by experiment and seed; remembers which were asked for, so that a claim's runs can be tagged with it.

    Args:
        client: of the store that has them.
        experiments: what was planned.
        context: where it ran.
        timing: the run that timed the training steps.
    """

    def __init__(self, client: MlflowClient, experiments: Sequence[Experiment], context: Context, timing: str) -> None:
        self.client = client
        self.timing = timing
        finished = finished_runs(client, context)
        self.runs: dict[str, dict[int, Run]] = {}
        for experiment in experiments:
            if run := finished.get(experiment.key(context)):
                self.runs.setdefault(experiment.name, {})[experiment.seed] = run
        self.asked: set[str] = set()

    def of(self, name: str) -> dict[int, Run]:
        """The runs of one experiment by seed."""
        found = self.runs.get(name, {})
        for run in found.values():
            self.asked |= {run.info.run_id, run.data.tags.get(LANGUAGE_MODEL, run.info.run_id)}
        return found

    def metric(self, name: str, metric: str = "test_accuracy") -> list[float]:
        """A metric of an experiment, one a seed."""
        return [run.data.metrics[metric] for run in self.of(name).values()]

    def gradients(self, name: str) -> list[list[float]]:
        """The gradient's norm by a token's age, of each seed."""
        histories = [self.client.get_metric_history(run.info.run_id, "gradient_norm") for run in self.of(name).values()]
        return [[point.value for point in sorted(history, key=lambda point: point.step)] for history in histories]

    def accuracy_diff(self, name: str, over: str) -> Effect:
        """How much more accurate one experiment is than another, seed by seed, in points."""
        ours, theirs = self.of(name), self.of(over)
        both = sorted(ours.keys() & theirs.keys())
        gains = [
            100 * (ours[seed].data.metrics["test_accuracy"] - theirs[seed].data.metrics["test_accuracy"])
            for seed in both
        ]
        accuracies = [100 * mean(self.metric(which)) for which in (name, over)]
        detail = f"{accuracies[0]:.2f}% against {accuracies[1]:.2f}%"
        return Effect(f"{name} - {over}", gains, POINTS, detail, informative=max(accuracies) > LEARNED)

    def seconds(self, name: str) -> list[float]:
        """Of a training step, one a round."""
        self.asked.add(self.timing)
        return step_seconds(self.client, self.timing, name)

    def time_ratio(self, name: str, than: str) -> Effect:
        """How many times the seconds of a step, round by round."""
        ratios = [a / b for a, b in zip(self.seconds(name), self.seconds(than), strict=True)]
        return Effect(f"{name} / {than}", ratios, TIMES)

    def size_ratio(self, name: str, than: str) -> Effect:
        """How many times the weights, without the embedding's."""
        ratios = [a / b for a, b in zip(self.metric(name, "weights"), self.metric(than, "weights"), strict=True)]
        return Effect(f"{name} / {than}", ratios, TIMES)

    def gradient_ratio(self, name: str, over: str, age: int) -> Effect:
        """How many orders of magnitude more of the gradient is left after `age` steps, seed by seed."""
        ours, theirs = (
            [math.log10(norms[age] / norms[0]) for norms in self.gradients(which)] for which in (name, over)
        )
        gains = [a - b for a, b in zip(ours, theirs, strict=True)]
        return Effect(f"{name} - {over}, {age} steps back", gains, DECADES)
