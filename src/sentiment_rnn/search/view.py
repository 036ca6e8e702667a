"""The live view of a study: what is done, what runs, the best so far, the time left."""

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
from sentiment_rnn.search.study import Search


def values_in_short(values: dict[str, Any]) -> str:
    """`name value, name value`, numbers to three digits."""
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
    )


class View:
    """A line for each trial that finishes; below them, on a terminal, a table of what runs.

    Args:
        search: what is searched.
        study: the study.
        workers: in words.
    """

    def __init__(self, search: Search, study: Study, workers: str) -> None:
        self.search = search
        self.study = study
        self.console = Console(soft_wrap=True, highlight=False)
        self.said: set[int] = set()
        self.began = time.monotonic()
        self.before = 0
        self.workers = workers

    def __enter__(self) -> "View":
        done = [trial for trial in self.study.get_trials(deepcopy=False) if trial.state.is_finished()]
        self.said = {trial.number for trial in done}
        self.before = sum(trial.state is not TrialState.FAIL for trial in done)
        self.console.print(
            f"{self.search.architecture}: {self.before} of {self.search.params.n_trials} trials done; {self.workers}"
        )
        self.live = Live(console=self.console, refresh_per_second=4, transient=True)
        if self.console.is_terminal:
            self.live.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.live.stop()

    def show(self, finished: Sequence[FrozenTrial], running: Sequence[FrozenTrial]) -> None:
        """Say which trials have finished since, and draw the rest anew."""
        left = self._left(len(finished))
        for trial in finished:
            if trial.number not in self.said:
                self.said.add(trial.number)
                self.console.print(self._line(trial, finished))
        if self.console.is_terminal:
            self.live.update(self._table(finished, running, left))

    def _line(self, trial: FrozenTrial, finished: Sequence[FrozenTrial]) -> str:
        loss = "diverged" if trial.value is None else f"{trial.value:.4f}"
        what = f"{self.search.architecture} trial {trial.number}: {trial.state.name.lower()} {loss}"
        return (
            f"{what} in {duration(trial.user_attrs['seconds'])} with {values_in_short(trial.params)}; "
            f"{self._told(finished)}/{self.search.params.n_trials} done, best {_best(finished)}"
        )

    def _told(self, finished: Sequence[FrozenTrial]) -> int:
        return sum(trial.number in self.said for trial in finished)

    def _left(self, done: int) -> str:
        here = done - self.before
        if not here:
            return "time left unknown yet"
        each = (time.monotonic() - self.began) / here
        return f"about {duration(each * max(0, self.search.params.n_trials - done))} left"

    def _table(self, finished: Sequence[FrozenTrial], running: Sequence[FrozenTrial], left: str) -> Group:
        asked = self.search.params.n_trials
        pruned = sum(trial.state is TrialState.PRUNED for trial in finished)
        head = Table.grid(padding=(0, 1))
        head.add_row(
            Text(self.search.architecture, style="bold"),
            ProgressBar(total=asked, completed=len(finished), width=30),
            f"{len(finished)}/{asked} trials, {pruned} pruned, {len(running)} running, best {_best(finished)}, {left}",
        )
        rows = Table(box=None, pad_edge=False, header_style="dim")
        for column in ("trial", "epoch", "validation loss", "values"):
            rows.add_column(column, justify="left" if column == "values" else "right")
        for trial in running:
            losses = trial.intermediate_values
            last = f"{losses[max(losses)]:.4f}" if losses else ""
            epochs = f"{max(losses, default=0)}/{self.search.trial_model().max_epochs}"
            rows.add_row(str(trial.number), epochs, last, values_in_short(trial.params))
        return Group(head, rows)


def _best(finished: Sequence[FrozenTrial]) -> str:
    values = [trial.value for trial in finished if trial.state is TrialState.COMPLETE and trial.value is not None]
    return f"{min(values):.4f}" if values else "none yet"
