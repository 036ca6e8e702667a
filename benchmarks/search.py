"""Trials a minute for one and for two workers, each with one thread, and what a trial costs beyond its own fit.

    python -m benchmarks.search [--trials 12] [--repeats 2]

As many trials on the tokenized reviews at hand (data/tokens), in turn with one worker on one core and two workers on
two. The first few have the same values; then TPE, which has seen another history, draws others, of the same cost.
What a trial costs beyond its fit is all that a worker spends between the start of one trial and the start of its next,
less the time in the epochs.
"""

import argparse
import itertools
import os
import statistics
import tempfile
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial
from rich.console import Console
from rich.table import Table

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.search.launch import search
from sentiment_rnn.search.storage import open_storage, storage_url


def run(workers: int, cores: set[int], trials: int, name: str) -> list[FrozenTrial]:
    """Search with so many workers on these cores; all stores are temporary."""
    chosen = params.load()
    asked = chosen.search.model_copy(update={"trials": trials, "workers": workers, "storage": None, "pruner": "none"})
    trainer = chosen.trainer.model_copy(update={"accelerator": "cpu"})
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
            work = Path(folder) / "work"
            folders = {"tokens": Path("data/tokens"), "pretrained": Path(f"data/pretrained/{name}"), "work": work}
            search(name, chosen.model_of(name), asked, trainer, **folders)
            storage = open_storage(storage_url(None, work))
            (study,) = optuna.get_all_study_summaries(storage)
            return optuna.load_study(storage=storage, study_name=study.study_name).trials
    finally:
        os.sched_setaffinity(0, before)


def rate(trials: list[FrozenTrial]) -> float:
    """Trials a minute, from the start of the first to the end of the last."""
    begin = min(trial.datetime_start for trial in trials)
    end = max(trial.datetime_complete for trial in trials)
    return 60 * len(trials) / (end - begin).total_seconds()


def overheads(trials: list[FrozenTrial]) -> list[float]:
    """Seconds of each trial but a worker's last that were not in its fit."""
    by_worker: dict[int, list[FrozenTrial]] = {}
    for trial in trials:
        by_worker.setdefault(trial.user_attrs["owner"]["pid"], []).append(trial)
    return [
        (after.datetime_start - trial.datetime_start).total_seconds() - trial.user_attrs["fit_seconds"]
        for own in by_worker.values()
        for trial, after in itertools.pairwise(own)
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architecture", default="bilstm")
    parser.add_argument("--trials", type=int, default=12)
    parser.add_argument("--repeats", type=int, default=2)
    arguments = parser.parse_args()
    first, second, *_ = sorted(os.sched_getaffinity(0))
    rates: dict[int, list[float]] = {1: [], 2: []}
    beyond: dict[int, list[float]] = {1: [], 2: []}
    fits: dict[int, list[float]] = {1: [], 2: []}
    for _ in range(arguments.repeats):
        for workers, cores in ((1, {first}), (2, {first, second})):
            trials = run(workers, cores, arguments.trials, arguments.architecture)
            rates[workers].append(rate(trials))
            beyond[workers] += overheads(trials)
            fits[workers] += [trial.user_attrs["fit_seconds"] for trial in trials]
    table = Table(
        title=f"{arguments.architecture} on {load_identity('data/tokens')['dataset']}, {arguments.trials} trials"
    )
    for column in ("workers", "trials a minute", "of one worker", "s in a fit", "s beyond it, median", "worst"):
        table.add_column(column, justify="right")
    for workers, each in rates.items():
        median = statistics.median(each)
        table.add_row(
            str(workers),
            f"{median:.2f}",
            f"{median / statistics.median(rates[1]):.2f}",
            f"{statistics.median(fits[workers]):.2f}",
            f"{statistics.median(beyond[workers]):.2f}",
            f"{max(beyond[workers]):.2f}",
        )
    Console().print(table)


if __name__ == "__main__":
    main()
