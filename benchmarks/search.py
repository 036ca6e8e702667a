"""Trials per minute of one and of two workers with one thread each, and the overhead of a trial.

    python -m benchmarks.search [--quick]

As many trials on the tokenized reviews (data/tokens), alternating between one worker on one core and two workers on
two. The overhead is the time between the starts of a worker's consecutive trials, less the time in the epochs.
"""

import os
import statistics
import tempfile
from pathlib import Path

import optuna
from optuna.trial import FrozenTrial

from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.search import driver
from sentiment_rnn.search.storage import open_storage
from sentiment_rnn.search.study import Search

TITLE = "Search: trials per minute of one worker on one core, and of two on two"
ARCHITECTURE = "bilstm"
FRACTION = 0.1


def run(workers: int, cores: set[int], n_trials: int, accelerator: str = "cpu") -> list[FrozenTrial]:
    """Search with so many workers on these cores; all stores are temporary."""
    chosen = params.load()
    changes = {
        "n_trials": n_trials,
        "workers": workers,
        "storage": None,
        "pruner": "none",
        "train_fraction": FRACTION,
        "max_epochs": 1,
    }
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores)
    try:
        with tempfile.TemporaryDirectory() as folder:
            os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
            search = Search(
                architecture=ARCHITECTURE,
                model=chosen.model_of(ARCHITECTURE),
                params=chosen.search.model_copy(update=changes),
                trainer=chosen.trainer.model_copy(update={"accelerator": accelerator}),
                tokens=Path("data/tokens"),
                word_vectors=Path("data/word_vectors"),
                work=Path(folder) / "work",
            )
            driver.run(search)
            return optuna.load_study(storage=open_storage(search.storage), study_name=search.study).trials
    finally:
        os.sched_setaffinity(0, before)


def trials_per_minute(trials: list[FrozenTrial]) -> float:
    """From the start of the first trial to the end of the last."""
    begin = min(trial.datetime_start for trial in trials)
    end = max(trial.datetime_complete for trial in trials)
    return 60 * len(trials) / (end - begin).total_seconds()


def overheads(trials: list[FrozenTrial], workers: int) -> list[float]:
    """Seconds outside the fit of each trial, from its start to that of the next one on its worker."""
    starts = sorted(trial.datetime_start for trial in trials[workers:])
    found = []
    for trial in sorted(trials, key=lambda trial: trial.datetime_complete)[: len(starts)]:
        # a slot's next trial is the first that starts after the end of its last one
        after = starts.pop(0)
        found.append((after - trial.datetime_start).total_seconds() - trial.user_attrs["fit_seconds"])
    return found


def measure(quick: bool) -> Result:
    first, second, *_ = sorted(os.sched_getaffinity(0))
    rates: dict[int, list[float]] = {1: [], 2: []}
    beyond: dict[int, list[float]] = {1: [], 2: []}
    fits: dict[int, list[float]] = {1: [], 2: []}
    n_trials = 4 if quick else 8
    for _ in range(1 if quick else 2):
        for workers, cores in ((1, {first}), (2, {first, second})):
            trials = run(workers, cores, n_trials)
            rates[workers].append(trials_per_minute(trials))
            beyond[workers] += overheads(trials, workers)
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
            "time per trial, two workers / one worker": Ratio(medians[1] / medians[2]),
            "overhead / fit, one worker": Ratio(statistics.median(beyond[1]) / statistics.median(fits[1])),
        },
        ["workers", "trials per minute", "fit, s", "overhead, median, s", "overhead, largest, s"],
        rows,
        [f"`{ARCHITECTURE}` on {FRACTION:.0%} of the training reviews, {n_trials} trials."],
    )


if __name__ == "__main__":
    command("search", TITLE, measure)
