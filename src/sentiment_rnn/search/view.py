"""The live view of a study: finished and running trials, the best loss so far, the time left."""

import time
from collections.abc import Sequence
from typing import Any

from optuna import Study
from optuna.trial import FrozenTrial, TrialState
from rich.console import Console, Group
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from sentiment_rnn.progress import duration
from sentiment_rnn.search.study import FINISHED, Search, best

REFRESH_SECONDS = 0.25


def format_values(values: dict[str, Any]) -> str:
    """`name value, name value`, floats to three digits."""
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
    )


class View:
    """One line per trial that has ended; on a terminal, below them, a table of the running ones.

    Args:
        search: what is searched.
        study: the study.
        workers: a description of them.
    """

    def __init__(self, search: Search, study: Study, workers: str) -> None:
        self.search = search
        self.study = study
        self.console = Console(soft_wrap=True, highlight=False)
        self.printed: set[int] = set()
        self.start = self.shown = time.monotonic()
        self.before = 0
        self.workers = workers

    def __enter__(self) -> "View":
        ended = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]
        self.printed = {trial.number for trial in ended}
        self.before = sum(trial.state is not TrialState.FAIL for trial in ended)
        count = f"{self.before} of {self.search.params.n_trials} trials finished"
        self.console.print(f"{self.search.architecture}: {count}; {self.workers}")
        self.live = Live(console=self.console, refresh_per_second=4, transient=True)
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def show(self, changed: bool) -> None:
        """Update the table from time to time.

        Args:
            changed: a trial has ended: print a line for it.
        """
        if not changed and time.monotonic() < self.shown + REFRESH_SECONDS:
            return
        self.shown = time.monotonic()
        trials = self.study.get_trials(deepcopy=False)
        finished = [trial for trial in trials if trial.state in FINISHED]
        for trial in trials:
            if trial.state.is_finished() and trial.number not in self.printed:
                self.printed.add(trial.number)
                self.console.print(self._line(trial, finished))
        if self.console.is_terminal:
            running = [trial for trial in trials if trial.state is TrialState.RUNNING]
            self.live.update(self._table(finished, running))

    def _line(self, trial: FrozenTrial, finished: Sequence[FrozenTrial]) -> str:
        if trial.state is TrialState.FAIL:
            reason = trial.user_attrs.get("error", "interrupted")
            return f"{self.search.architecture} trial {trial.number} failed, its values are tried again: {reason}"
        loss = "diverged" if trial.value is None else f"{trial.value:.4f}"
        count = sum(trial.number in self.printed for trial in finished)
        return (
            f"{self.search.architecture} trial {trial.number}: {trial.state.name.lower()} {loss} "
            f"in {duration(trial.user_attrs['seconds'])} with {format_values(trial.params)}; "
            f"{count}/{self.search.params.n_trials} finished, best {_best_loss(finished)}"
        )

    def _left(self, count: int) -> str:
        here = count - self.before
        if not here:
            return "time left not known yet"
        mean = (time.monotonic() - self.start) / here
        return f"about {duration(mean * max(0, self.search.params.n_trials - count))} left"

    def _table(self, finished: Sequence[FrozenTrial], running: Sequence[FrozenTrial]) -> Group:
        count, total = len(finished), self.search.params.n_trials
        pruned = sum(trial.state is TrialState.PRUNED for trial in finished)
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(self.search.architecture, style="bold"),
            ProgressBar(total=total, completed=count, width=30),
            f"{count}/{total} trials, {pruned} pruned, {len(running)} running, best {_best_loss(finished)}, "
            f"{self._left(count)}",
        )
        rows = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("trial", "epoch", "validation loss", "values"):
            rows.add_column(column, justify="left" if column == "values" else "right")
        for trial in running:
            losses = trial.intermediate_values
            last = f"{losses[max(losses)]:.4f}" if losses else ""
            epochs = f"{max(losses, default=0)}/{self.search.trial_model().max_epochs}"
            rows.add_row(str(trial.number), epochs, last, format_values(trial.params))
        return Group(head, rows)


def _best_loss(finished: Sequence[FrozenTrial]) -> str:
    found = best(finished)
    return f"{found.value:.4f}" if found else "none yet"
