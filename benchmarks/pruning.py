"""Best validation loss against training seconds, without pruning and with each pruner, from the same seeds.

    python -m benchmarks.pruning [--trials 20] [--seeds 1 2]

The searches run one after another with params.yaml's workers and space, on the tokenized reviews (data/tokens). Studies
are saved in work/pruning: the same command resumes them. Writes docs/images/pruning.png.
"""

import argparse
import itertools
import os
import statistics
from pathlib import Path

import matplotlib
import optuna
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console
from rich.table import Table

matplotlib.use("Agg")

from matplotlib import pyplot as plt

from sentiment_rnn import params
from sentiment_rnn.search import driver
from sentiment_rnn.search.storage import open_storage
from sentiment_rnn.search.study import FINISHED, Search

PRUNERS = ("none", "median", "hyperband")


def run(name: str, pruner: str, seed: int, n_trials: int) -> list[FrozenTrial]:
    """Search; return the trials in the order in which they ended."""
    chosen = params.load()
    changes = {"n_trials": n_trials, "seed": seed, "pruner": pruner, "storage": None}
    search = Search(
        architecture=name,
        model=chosen.model_of(name),
        params=chosen.search.model_copy(update=changes),
        trainer=chosen.trainer,
        tokens=Path("data/tokens"),
        word_vectors=Path("data/word_vectors"),
        work=Path(f"work/pruning/{name}-{pruner}-{seed}"),
    )
    driver.run(search)
    study = optuna.load_study(storage=open_storage(search.storage), study_name=search.study)
    ended = study.get_trials(states=FINISHED)
    return sorted(ended, key=lambda trial: trial.datetime_complete)


def curve(trials: list[FrozenTrial]) -> tuple[list[float], list[float]]:
    """Cumulative training seconds of all workers, and the best loss of a complete trial so far."""
    seconds = list(itertools.accumulate(trial.user_attrs["fit_seconds"] for trial in trials))
    losses = [trial.value if trial.state is TrialState.COMPLETE else float("inf") for trial in trials]
    return seconds, list(itertools.accumulate(losses, min))


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.pruning", description=__doc__)
    parser.add_argument("--architecture", default="bilstm")
    parser.add_argument("--trials", type=int, default=20)
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2])
    arguments = parser.parse_args()
    os.environ.setdefault("MLFLOW_TRACKING_URI", f"sqlite:///{Path('work/pruning').absolute()}/mlflow.db")
    Path("work/pruning").mkdir(parents=True, exist_ok=True)
    found: dict[str, list[list[FrozenTrial]]] = {pruner: [] for pruner in PRUNERS}
    for seed in arguments.seeds:
        for pruner in PRUNERS:
            found[pruner].append(run(arguments.architecture, pruner, seed, arguments.trials))

    table = Table(title=f"{arguments.architecture}, {arguments.trials} trials, seeds {arguments.seeds}")
    for column in ("pruner", "best loss by seed", "mean", "epochs", "pruned", "training seconds", "relative time"):
        table.add_column(column, justify="right")
    figure, axis = plt.subplots(figsize=(9, 5), layout="constrained")
    for index, (pruner, studies) in enumerate(found.items()):
        curves = [curve(trials) for trials in studies]
        best = [losses[-1] for _, losses in curves]
        spent = statistics.mean(seconds[-1] for seconds, _ in curves)
        without = statistics.mean(curve(trials)[0][-1] for trials in found["none"])
        table.add_row(
            pruner,
            " ".join(f"{loss:.4f}" for loss in best),
            f"{statistics.mean(best):.4f}",
            f"{statistics.mean(sum(len(trial.intermediate_values) for trial in trials) for trials in studies):.1f}",
            f"{statistics.mean(sum(trial.state is TrialState.PRUNED for trial in trials) for trials in studies):.1f}",
            f"{spent:.0f}",
            f"{spent / without:.2f}",
        )
        for number, (seconds, losses) in enumerate(curves):
            style = ("-", "--", ":", "-.")[number % 4]
            label = f"{pruner}, seed {arguments.seeds[number]}"
            axis.step(seconds, losses, where="post", color=f"C{index}", linestyle=style, label=label)
    axis.set(
        xlabel="training seconds of all workers",
        ylabel="best validation loss so far",
        title=f"{arguments.architecture}: {arguments.trials} trials with and without pruning, same seeds",
    )
    axis.grid(alpha=0.3)
    axis.legend()
    Path("docs/images").mkdir(parents=True, exist_ok=True)
    figure.savefig("docs/images/pruning.png", dpi=120)
    Console().print(table)


if __name__ == "__main__":
    main()
