"""Trials a minute for one and for two workers, each with one thread, and what a trial costs beyond its own fit.

    python -m benchmarks.search [--quick]

As many trials on the tokenized reviews at hand (data/tokens), in turn with one worker on one core and two workers on
two. The first few have the same values; then TPE, which has seen another history, draws others, of the same cost.
What a trial costs beyond its fit is all that a worker spends between the start of one trial and the start of its next,
less the time in the epochs.
"""

import itertools
import os
import statistics
import tempfile
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.search.launch import search
from sentiment_rnn.search.storage import open_storage, storage_url

TITLE = "Search: trials a minute by one worker on one core, and by two on two"
ARCHITECTURE = "bilstm"
SHARE = 0.1


def run(workers: int, cores: set[int], trials: int, name: str) -> list[FrozenTrial]:
    """Search with so many workers on these cores; all stores are temporary."""
    chosen = params.load()
    asked = chosen.search.model_copy(
        update={
            "trials": trials,
            "workers": workers,
            "storage": None,
            "pruner": "none",
            "train_fraction": SHARE,
            "max_epochs": 1,
        }
    )
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


def measure(quick: bool) -> Result:
    first, second, *_ = sorted(os.sched_getaffinity(0))
    rates: dict[int, list[float]] = {1: [], 2: []}
    beyond: dict[int, list[float]] = {1: [], 2: []}
    fits: dict[int, list[float]] = {1: [], 2: []}
    count = 4 if quick else 8
    for _ in range(1 if quick else 2):
        for workers, cores in ((1, {first}), (2, {first, second})):
            trials = run(workers, cores, count, ARCHITECTURE)
            rates[workers].append(rate(trials))
            beyond[workers] += overheads(trials)
            fits[workers] += [trial.user_attrs["fit_seconds"] for trial in trials]
    medians = {workers: statistics.median(each) for workers, each in rates.items()}
    rows = [
        [
            str(workers),
            f"{medians[workers]:.2f}",
            f"{statistics.median(fits[workers]):.2f}",
            f"{statistics.median(beyond[workers]):.2f}",
            f"{max(beyond[workers]):.2f}",
        ]
        for workers in (1, 2)
    ]
    return Result(
        {
            "a trial by two workers / by one": Ratio(medians[1] / medians[2]),
            "beyond the fit / the fit, one worker": Ratio(statistics.median(beyond[1]) / statistics.median(fits[1])),
        },
        ["workers", "trials a minute", "s in a fit", "s beyond it, median", "worst"],
        rows,
        [f"`{ARCHITECTURE}` on the sample's size of reviews ({SHARE:.0%} of those at hand), {count} trials, in turn."],
    )


if __name__ == "__main__":
    command("search", TITLE, measure)
