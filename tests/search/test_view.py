"""The progress output of a study."""

import io

import optuna
import pytest
from local_study import LocalStudy
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from rich.console import Console

from sentiment_rnn.search import view


@pytest.fixture
def local(client, tokens) -> LocalStudy:
    return LocalStudy(client, tokens, n_trials=4, max_epochs=2)


def add(local: LocalStudy, state: TrialState, value: float | None, losses: dict[int, float]) -> None:
    local.study.add_trial(
        optuna.trial.create_trial(
            state=state, value=value, intermediate_values=losses, user_attrs={"seconds": 100.0},
            params={"dropout": 0.41234}, distributions={"dropout": FloatDistribution(0.0, 1.0)},
        )
    )  # fmt: skip


def test_without_a_terminal_each_finished_trial_is_one_line(local, capsys):
    add(local, TrialState.COMPLETE, 0.5, {1: 0.5})
    with view.View(local.search, local.study, "2 workers, 1 thread each") as shown:
        add(local, TrialState.COMPLETE, 0.41, {1: 0.6, 2: 0.41})
        shown.show(changed=True)
        add(local, TrialState.PRUNED, 0.7, {1: 0.7})
        add(local, TrialState.PRUNED, None, {})
        add(local, TrialState.FAIL, None, {})
        shown.show(changed=True)
        shown.show(changed=True)
    assert capsys.readouterr().out.splitlines() == [
        "bilstm: 1 of 4 trials finished; 2 workers, 1 thread each",
        "bilstm trial 1: complete 0.4100 in 2 min with dropout 0.412; 2/4 finished, best 0.4100",
        "bilstm trial 2: pruned 0.7000 in 2 min with dropout 0.412; 3/4 finished, best 0.4100",
        "bilstm trial 3: pruned diverged in 2 min with dropout 0.412; 4/4 finished, best 0.4100",
        "bilstm trial 4 failed, its values are tried again: interrupted",
    ]


def test_a_terminal_shows_the_running_trials_and_the_time_left(local, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(view, "Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
    with view.View(local.search, local.study, "2 workers") as shown:
        add(local, TrialState.PRUNED, 0.7, {1: 0.7})
        add(local, TrialState.COMPLETE, 0.4, {1: 0.6, 2: 0.4})
        trial = local.study.ask()
        trial.suggest_float("dropout", 0.0, 1.0)
        trial.report(0.4567, 1)
        shown.show(changed=True)
        shown.live.refresh()
    text = screen.getvalue()
    assert "2/4 trials, 1 pruned, 1 running, best 0.4000, about 0 s left" in text
    assert "0.4567" in text
    assert "1/2" in text
