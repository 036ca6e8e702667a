"""What a person sees of a study while it runs."""

import io

import optuna
import pytest
from bench import Bench
from optuna.distributions import FloatDistribution
from optuna.trial import TrialState
from rich.console import Console

from sentiment_rnn.search import view
from sentiment_rnn.search.leases import finished


@pytest.fixture
def bench(client, tokens) -> Bench:
    return Bench(client, tokens, trials=4, max_epochs=2)


def add(bench: Bench, state: TrialState, value: float | None, losses: dict[int, float]) -> None:
    bench.study.add_trial(
        optuna.trial.create_trial(
            state=state, value=value, intermediate_values=losses, user_attrs={"seconds": 100.0},
            params={"dropout": 0.41234}, distributions={"dropout": FloatDistribution(0.0, 1.0)},
        )
    )  # fmt: skip


def running(bench: Bench) -> list[optuna.trial.FrozenTrial]:
    return bench.study.get_trials(states=(TrialState.RUNNING,))


def test_each_trial_is_a_line_once_where_there_is_no_terminal(bench, capsys):
    add(bench, TrialState.COMPLETE, 0.5, {1: 0.5})
    with view.View(bench.search, bench.study, "2 workers, 1 thread each") as shown:
        add(bench, TrialState.COMPLETE, 0.41, {1: 0.6, 2: 0.41})
        shown.show(finished(bench.study), [])
        add(bench, TrialState.PRUNED, 0.7, {1: 0.7})
        add(bench, TrialState.PRUNED, None, {})
        shown.show(finished(bench.study), [])
        shown.show(finished(bench.study), [])
    assert capsys.readouterr().out.splitlines() == [
        "bilstm: 1 of 4 trials done; 2 workers, 1 thread each",
        "bilstm trial 1: complete 0.4100 in 2 min with dropout 0.412; 2/4 done, best 0.4100",
        "bilstm trial 2: pruned 0.7000 in 2 min with dropout 0.412; 3/4 done, best 0.4100",
        "bilstm trial 3: pruned diverged in 2 min with dropout 0.412; 4/4 done, best 0.4100",
    ]


def test_a_terminal_shows_what_runs_and_the_time_left(bench, monkeypatch):
    screen = io.StringIO()
    monkeypatch.setattr(view, "Console", lambda **_: Console(file=screen, force_terminal=True, width=120))
    with view.View(bench.search, bench.study, "2 workers") as shown:
        add(bench, TrialState.PRUNED, 0.7, {1: 0.7})
        add(bench, TrialState.COMPLETE, 0.4, {1: 0.6, 2: 0.4})
        trial = bench.study.ask()
        trial.suggest_float("dropout", 0.0, 1.0)
        trial.report(0.4567, 1)
        shown.show(finished(bench.study), running(bench))
        shown.live.refresh()
    text = screen.getvalue()
    assert "2/4 trials, 1 pruned, 1 running, best 0.4000, about 0 s left" in text
    assert "0.4567" in text
    assert "1/2" in text


@pytest.mark.parametrize(("seconds", "said"), [(7.4, "7 s"), (89, "89 s"), (300, "5 min"), (9000, "2.5 h")])
def test_a_duration_is_said_as_a_person_says_it(seconds, said):
    assert view.duration(seconds) == said
