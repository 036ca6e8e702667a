"""Results of finished experiments: from MLflow, and from the committed file that a new clone starts with."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn.files import atomic_file, refuse_corrupt_files
from sentiment_rnn.studies.claims.accuracy import LANGUAGE_MODEL
from sentiment_rnn.studies.claims.timing import SECONDS
from sentiment_rnn.studies.experiment import KEY

SERIES = ("error", "gradient_norm", "gradient_norm_initial", "test_block_accuracy")  # of a metric, all steps
DIGITS = 6


class Result(NamedTuple):
    """A finished experiment.

    Attributes:
        name: of the experiment.
        seed: of the experiment.
        metrics: by name.
        series: by the name of a metric, its values by step.
        runs: ids of its MLflow run and of that of its language model, if it has one.
        machine: that it was run on; empty: not recorded.
    """

    name: str
    seed: int
    metrics: dict[str, float]
    series: dict[str, dict[int, float]]
    runs: list[str]
    machine: str = ""


def from_run(client: MlflowClient, run: Run) -> Result:
    """The result of a finished run."""
    names = [name for name in run.data.metrics if name in SERIES or name.endswith(SECONDS)]
    series = {name: client.get_metric_history(run.info.run_id, name) for name in names}
    tags = run.data.tags
    return Result(
        tags["experiment"],
        int(tags["seed"]),
        {name: _rounded(value) for name, value in run.data.metrics.items() if name not in series},
        {
            name: {metric.step: _rounded(metric.value) for metric in sorted(history, key=lambda metric: metric.step)}
            for name, history in series.items()
        },
        [run.info.run_id, *([tags[LANGUAGE_MODEL]] if LANGUAGE_MODEL in tags else [])],
        tags["machine"],
    )


def load(file: Path) -> dict[str, Result]:
    """The results by the keys of their experiments; none if there is no file.

    Raises:
        UserError: the file is corrupt.
    """
    if not file.exists():
        return {}
    with refuse_corrupt_files(file.parent):
        rows = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
        return {row.pop("key"): _result(row) for row in rows}


def save(results: dict[str, Result], file: Path) -> None:
    """Write one line per experiment, in the order of names and seeds."""
    ordered = sorted(results.items(), key=lambda item: (item[1].name, item[1].seed, item[0]))
    with atomic_file(file) as out:
        for key, result in ordered:
            out.write(json.dumps({"key": key, **result._asdict()}) + "\n")


def update(known: dict[str, Result], client: MlflowClient, finished: Iterable[Run]) -> dict[str, Result]:
    """`known`, and the results of the finished runs that are not in it."""
    new = {run.data.tags[KEY]: run for run in finished if run.data.tags[KEY] not in known}
    return known | {key: from_run(client, run) for key, run in new.items() if "experiment" in run.data.tags}


def _result(row: dict[str, Any]) -> Result:
    series = {name: {int(step): value for step, value in values.items()} for name, values in row["series"].items()}
    return Result(**row | {"series": series})


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
