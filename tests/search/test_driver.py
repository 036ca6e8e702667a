"""The driver: which trials it runs, what it repeats, when it gives up, what it leaves in MLflow."""

import pkgutil
from collections import Counter
from contextlib import suppress

import pytest
from local_study import BILSTM, PARAMS, LocalStudy
from optuna.trial import TrialState

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution import Engine, Outcome, WorkerDiedError
from sentiment_rnn.search import driver
from sentiment_rnn.search.space import defaults
from sentiment_rnn.search.storage import Journal
from sentiment_rnn.search.trial import TrialResult

DEFAULTS = defaults(PARAMS.search.space, BILSTM)


class Scripted(Engine):
    """An engine whose trials end one at a time, as `outcomes` has them by number; by default with a loss.

    Attributes:
        values: of the trials in the order in which they were started.
        most: trials that ran at a time.
    """

    def __init__(self, slots: int = 1, **outcomes: object) -> None:
        super().__init__()
        self.slots, self.outcomes = slots, outcomes
        self.running: list[int] = []
        self.values: list[dict] = []
        self.most = 0

    def describe(self) -> str:
        return "scripted"

    def has_room(self) -> bool:
        return len(self.running) < self.slots

    def submit(self, key, function, *arguments) -> None:
        assert self.has_room()
        self.values.append(arguments[2])
        self.running.append(key)
        self.most = max(self.most, len(self.running))

    def poll(self) -> list[Outcome]:
        if not self.running:
            return []
        key = self.running.pop(0)
        outcome = self.outcomes.get(f"trial_{key}", 0.5)
        if isinstance(outcome, KeyboardInterrupt):
            raise outcome
        if isinstance(outcome, Exception):
            return [Outcome(key, None, outcome)]
        state = TrialState.PRUNED if outcome is None else TrialState.COMPLETE
        return [Outcome(key, TrialResult(state, outcome, 1.0, 0.5), None)]


def states(local: LocalStudy) -> list[str]:
    return [trial.state.name for trial in local.study.get_trials()]


def statuses(local: LocalStudy) -> Counter:
    return Counter(run.info.status for run in local.runs()[1])


@pytest.mark.parametrize("slots", [1, 3, 9])
def test_exactly_the_missing_trials_are_run_and_the_first_has_the_defaults(client, tokens, slots):
    local = LocalStudy(client, tokens, n_trials=4)
    engine = Scripted(slots, trial_2=None)
    local.run(engine)
    assert states(local) == ["COMPLETE", "COMPLETE", "PRUNED", "COMPLETE"]
    assert engine.most == min(slots, 4)
    assert engine.values[0] == DEFAULTS
    assert len({values["learning_rate"] for values in engine.values}) == 4
    more = LocalStudy(client, tokens, n_trials=6)
    more.run(Scripted(slots))
    assert len(states(more)) == 6, "n_trials was raised"
    fewer = LocalStudy(client, tokens, n_trials=5)
    assert fewer.driver().missing() == 0
    assert statuses(fewer) == {"FINISHED": 6}
    assert [run.info.status for run in fewer.runs()[0]] == ["FINISHED"]


def test_the_values_of_a_failed_trial_are_repeated(client, tokens, capsys):
    local = LocalStudy(client, tokens, n_trials=4)
    engine = Scripted(2, trial_0=WorkerDiedError("killed"), trial_3=ValueError("broken"))
    local.run(engine)
    assert Counter(states(local)) == {"COMPLETE": 4, "FAIL": 2}
    assert "bilstm trial 0 failed, its values are tried again: killed" in capsys.readouterr().out
    assert engine.values.count(DEFAULTS) == 2
    assert engine.values.count(engine.values[3]) == 2
    assert statuses(local) == {"FINISHED": 4, "KILLED": 2}


def test_values_that_always_fail_are_abandoned_after_six_attempts(client, tokens, monkeypatch):
    monkeypatch.setattr(driver, "MAX_DEATHS", 99)
    local = LocalStudy(client, tokens, n_trials=1)
    engine = Scripted(1, **{f"trial_{number}": ValueError("broken") for number in range(7)})
    local.run(engine)
    assert states(local) == ["FAIL"] * 7 + ["COMPLETE"]
    assert engine.values[:6] == [DEFAULTS] * 6
    assert engine.values[6] == engine.values[7] != DEFAULTS


def test_too_many_failures_in_a_row_end_the_search(client, tokens):
    local = LocalStudy(client, tokens, n_trials=9)
    deaths = {f"trial_{number}": WorkerDiedError("by signal 9") for number in (1, 2, 3, 5, 6, 7, 8, 9, 10)}
    with pytest.raises(UserError, match=r"bilstm: 6 trials failed in a row, the last with: by signal 9. .* memory"):
        local.run(Scripted(1, **deaths))
    assert len(states(local)) == 11, "the finished trial 4 came in between"
    assert statuses(local) == {"FINISHED": 2, "KILLED": 9}
    assert [run.info.status for run in local.runs()[0]] == ["FAILED"]


def test_the_deaths_of_all_workers_of_a_machine_do_not_end_the_search(client, tokens):
    local = LocalStudy(client, tokens, n_trials=8)
    local.run(Scripted(8, **{f"trial_{number}": WorkerDiedError("the node died") for number in range(8)}))
    assert Counter(states(local)) == {"FAIL": 8, "COMPLETE": 8}


def test_a_full_disk_ends_the_search_and_the_same_command_resumes_it(client, tokens, monkeypatch):
    local = LocalStudy(client, tokens, n_trials=4)
    engine, append = Scripted(2), Journal.append_logs

    def fill(journal, logs):
        if len(engine.values) == 4:
            raise UserError("study.journal: No space left on device")
        append(journal, logs)

    with monkeypatch.context() as full:
        full.setattr(Journal, "append_logs", fill)
        with pytest.raises(UserError, match="No space left"):
            local.run(engine)
    assert "RUNNING" not in statuses(local) | Counter(run.info.status for run in local.runs()[0])
    local.run(Scripted(2))
    assert Counter(states(local))["COMPLETE"] == 4
    assert Counter(states(local)).keys() == {"COMPLETE", "FAIL"}
    assert Counter(statuses(local)).keys() == {"FINISHED", "KILLED"}


@pytest.mark.parametrize(
    ("error", "kind", "status"),
    [(UserError("data/tokens is missing"), UserError, "FAILED"), (KeyboardInterrupt(), KeyboardInterrupt, "KILLED")],
)
def test_an_error_of_the_user_and_ctrl_c_end_the_search_and_close_its_runs(client, tokens, capsys, error, kind, status):
    local = LocalStudy(client, tokens, n_trials=5)
    with pytest.raises(kind) as raised:
        local.run(Scripted(2, trial_1=error))
    if kind is UserError:
        assert str(raised.value) == "bilstm: data/tokens is missing"
    else:
        assert "bilstm: stopped after 1 of 5 trials; the same command resumes the search" in capsys.readouterr().out
    assert states(local) == ["COMPLETE", "FAIL", "FAIL"]
    assert statuses(local) == {"FINISHED": 1, "KILLED": 2}
    assert [run.info.status for run in local.runs()[0]] == [status]
    attempts = [trial.user_attrs.get("attempt", 1) for trial in local.study.get_trials()]
    assert attempts == ([1, 1, 1] if kind is UserError else [1, 0, 0]), "Ctrl-C is not an attempt"
    local.run(Scripted(2))
    assert Counter(states(local)) == {"COMPLETE": 5, "FAIL": 2}
    assert [run.info.status for run in local.runs()[0]] == ["FINISHED"]


class KilledError(BaseException):
    """SIGKILL: nothing is tidied up after it."""


MOMENTS = [
    "optuna.Study.enqueue_trial",
    "optuna.Study.ask",
    "sentiment_rnn.search.driver.suggest",
    "sentiment_rnn.tracking.runs.start",
    "optuna.Trial.set_user_attr",
    "optuna.Study.tell",
    "sentiment_rnn.search.driver.end_run",
    "mlflow.MlflowClient.set_terminated",
    "mlflow.MlflowClient.log_batch",
]


@pytest.mark.parametrize("moment", MOMENTS)
def test_a_driver_that_is_killed_at_any_moment_is_resumed(client, tokens, monkeypatch, moment):
    """Before and after a step: the count is exact, the defaults are tried, no run is open or doubled."""
    local = LocalStudy(client, tokens, n_trials=3)
    path, name = moment.rsplit(".", 1)
    target = pkgutil.resolve_name(path)
    original, calls = getattr(target, name), []
    for kill_at in (0.5, 1, 1.5):  # calls

        def killed(*arguments, kill_at=kill_at, **named):
            calls.append(None)
            if len(calls) > kill_at:
                raise KilledError
            result = original(*arguments, **named)
            if len(calls) == kill_at:
                raise KilledError
            return result

        calls.clear()
        with monkeypatch.context() as patch, suppress(KilledError):
            patch.setattr(target, name, killed)
            local.driver().run(Scripted(2), lambda: None)
        assert calls or kill_at > 1
    local.run(Scripted(2))
    finished = [trial for trial in local.study.get_trials() if trial.state is TrialState.COMPLETE]
    assert len(finished) == 3
    assert set(states(local)) <= {"COMPLETE", "FAIL"}
    assert [trial.params for trial in finished].count(DEFAULTS) == 1
    _, children = local.runs()
    numbers = [run.data.tags["trial"] for run in children]
    assert len(set(numbers)) == len(numbers)
    assert [int(run.data.tags["trial"]) for run in children if run.info.status == "FINISHED"] == [
        trial.number for trial in finished
    ]
    assert {run.info.status for run in children} <= {"FINISHED", "KILLED"}
    assert all(run.data.metrics["fit_seconds"] == 0.5 for run in children if run.info.status == "FINISHED")


def test_a_trial_that_a_repeated_storage_call_created_is_failed(client, tokens):
    local = LocalStudy(client, tokens, n_trials=3)
    create, doubled = local.storage.create_new_trial, []

    def create_twice(study_id, template_trial=None):
        if template_trial is None and not doubled:
            doubled.append(create(study_id))
        return create(study_id, template_trial)

    local.storage.create_new_trial = create_twice
    local.run(Scripted())
    assert doubled
    assert states(local) == ["COMPLETE", "FAIL", "COMPLETE", "COMPLETE"]
    assert statuses(local) == {"FINISHED": 3}


def test_a_driver_that_has_lost_its_lock_leaves_the_trials_of_the_next_alone(client, tokens):
    local = LocalStudy(client, tokens, n_trials=3)
    others = []

    def lost() -> None:
        if len(local.study.get_trials()) == 1 and not others:
            other = local.driver()  # which fails the trial of the first
            others.append(local.study.ask().number)
            assert other.missing() == 3
            raise UserError("another driver")

    first = local.driver()
    with pytest.raises(UserError, match="another driver"), first.running_parent():
        first.run(Scripted(2), lost)
    assert states(local) == ["FAIL", "RUNNING"]
