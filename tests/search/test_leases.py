"""The count is exact whoever dies, shown step by step: two workers whose every look and claim the test decides."""

import multiprocessing
import os
import time

import optuna
import pytest
from optuna.trial import TrialState

from sentiment_rnn.search import leases
from sentiment_rnn.search.storage import open_storage

START = {"learning_rate": 0.005}


@pytest.fixture
def storage(tmp_path):
    return open_storage(f"journal://{tmp_path}/study.journal")


@pytest.fixture
def study(storage):
    return optuna.create_study(storage=storage, study_name="bilstm")


def end(storage, trial, state=TrialState.COMPLETE, value=0.5):
    storage.set_trial_state_values(trial._trial_id, state, None if state is TrialState.FAIL else [value])


def states(study) -> list[str]:
    return [trial.state.name for trial in study.get_trials()]


def other_process(monkeypatch, **changes):
    """Claims come from another process from now on."""
    monkeypatch.setattr(ownership, "myself", lambda: {"host": leases._host(), "pid": 1, "born": 0.0} | changes)


def test_the_first_claim_is_the_start_and_has_its_owner_from_the_first_moment(study, storage):
    trial = leases.claim(study, storage, 2, START)
    assert trial.state is TrialState.RUNNING
    assert trial.user_attrs["owner"] == leases.myself()
    assert trial.user_attrs["owner"]["pid"] == os.getpid()
    real = optuna.trial.Trial(study, trial._trial_id)
    assert real.suggest_float("learning_rate", 0.001, 0.01) == 0.005


def test_no_more_is_claimed_than_was_asked_for(study, storage, monkeypatch):
    first = leases.claim(study, storage, 2, START)
    other_process(monkeypatch)
    second = leases.claim(study, storage, 2, START)
    assert second.user_attrs["claims"] is None
    other_process(monkeypatch, pid=2)
    assert leases.claim(study, storage, 2, START) is None, "two are running"
    end(storage, first)
    assert leases.claim(study, storage, 2, START) is None, "one has finished, one is running"
    end(storage, second, TrialState.PRUNED)
    assert leases.claim(study, storage, 2, START) is None
    assert states(study) == ["COMPLETE", "PRUNED"]
    assert leases.claim(study, storage, 3, START) is not None, "more are asked for"


@pytest.mark.parametrize("asked", [1, 2])
def test_two_that_claim_at_once_do_not_both_get_the_last_nor_the_same(study, storage, monkeypatch, asked):
    real = leases._create
    order = []

    def create(*arguments):
        if not order:  # the other comes between the look and the claim
            order.append("other")
            with monkeypatch.context() as patch:
                patch.setattr(ownership, "myself", lambda: {"host": "elsewhere", "pid": 1, "born": 0.0})
                order.append(leases.claim(study, storage, asked, START))
        return real(*arguments)

    monkeypatch.setattr(ownership, "_create", create)
    assert leases.claim(study, storage, asked, START) is None
    assert order[1] is not None
    assert states(study) == ["RUNNING", "FAIL"]
    again = leases.claim(study, storage, asked, START)
    if asked == 1:
        assert again is None
    else:
        assert again.user_attrs["claims"] is None, "what was surplus is not a trial to be tried again"


def test_the_values_of_a_dead_owner_are_tried_again_once(study, storage, monkeypatch):
    end(storage, leases.claim(study, storage, 3, START))
    other_process(monkeypatch)
    killed = leases.claim(study, storage, 3, START)
    drawn = optuna.trial.Trial(study, killed._trial_id).suggest_float("learning_rate", 0.001, 0.01)
    monkeypatch.undo()

    assert leases.LeaseMonitor(study, storage).running() == []
    assert states(study) == ["COMPLETE", "FAIL"]
    again = leases.claim(study, storage, 3, START)
    assert again.user_attrs["claims"] == killed.number
    assert optuna.trial.Trial(study, again._trial_id).suggest_float("learning_rate", 0.001, 0.01) == drawn
    other_process(monkeypatch, host="elsewhere")
    assert leases.claim(study, storage, 3, START).user_attrs["claims"] is None


def test_the_start_is_tried_again_too(study, storage, monkeypatch):
    other_process(monkeypatch)
    leases.claim(study, storage, 1, START)  # killed before it drew anything
    monkeypatch.undo()
    leases.LeaseMonitor(study, storage).running()
    again = leases.claim(study, storage, 1, START)
    assert optuna.trial.Trial(study, again._trial_id).suggest_float("learning_rate", 0.001, 0.01) == 0.005


def test_a_trial_doubled_by_a_lost_answer_is_given_up_by_its_owner(study, storage):
    lost = leases.claim(study, storage, 2, START)
    assert lost is not None
    trial = leases.claim(study, storage, 2, START)
    assert states(study) == ["FAIL", "RUNNING"]
    assert trial.user_attrs["claims"] == "start"


def die() -> None:
    os._exit(0)


def test_a_zombie_and_a_reused_process_number_count_as_dead(study, storage, monkeypatch):
    process = multiprocessing.get_context("spawn").Process(target=die)
    process.start()
    import psutil

    other_process(monkeypatch, pid=process.pid, born=psutil.Process(process.pid).create_time())
    leases.claim(study, storage, 1, START)
    monkeypatch.undo()
    watch = leases.LeaseMonitor(study, storage)
    assert len(watch.running()) in (0, 1)
    deadline = time.monotonic() + 20
    while watch.running() and time.monotonic() < deadline:
        time.sleep(0.05)  # it is not waited for: it ends as a zombie
    assert states(study) == ["FAIL"]
    process.join()

    other_process(monkeypatch, pid=os.getpid(), born=1.0)
    leases.claim(study, storage, 1, START)
    assert watch.running() == []


def test_an_owner_on_another_machine_lives_while_it_gives_signs_of_life(study, storage, monkeypatch):
    other_process(monkeypatch, host="elsewhere")
    trial = leases.claim(study, storage, 1, START)
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    watch = leases.LeaseMonitor(study, storage)
    for beats in range(20):
        storage.set_trial_user_attr(trial._trial_id, "beats", beats // 3)
        assert len(watch.running()) == 1
        now[0] += leases.HEARTBEAT_SECONDS
    for _ in range(int(leases.HEARTBEAT_TIMEOUT / leases.HEARTBEAT_SECONDS) - 2):
        now[0] += leases.HEARTBEAT_SECONDS
        assert len(watch.running()) == 1
    for _ in range(4):
        now[0] += leases.HEARTBEAT_SECONDS
        watch.running()
    assert states(study) == ["FAIL"]


def test_failing_a_trial_that_has_ended_changes_nothing(study, storage):
    trial = leases.claim(study, storage, 1, START)
    end(storage, trial)
    leases.fail(storage, trial)
    assert states(study) == ["COMPLETE"]


def test_values_that_kill_again_and_again_are_set_aside(study, storage, monkeypatch):
    for attempt in range(leases.ATTEMPTS):
        trial = leases.claim(study, storage, 1, START)
        assert trial.user_attrs["claims"] == (trial.number - 1 if attempt else "start")
        leases.fail(storage, trial)
    assert leases.claim(study, storage, 1, START).user_attrs["claims"] is None


def test_after_a_storage_was_away_nobody_counts_as_silent(study, storage, monkeypatch):
    other_process(monkeypatch, host="elsewhere")
    leases.claim(study, storage, 1, START)
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    watch = leases.LeaseMonitor(study, storage)
    assert len(watch.running()) == 1
    now[0] += leases.HEARTBEAT_TIMEOUT + 30  # the look at the storage took so long
    assert len(watch.running()) == 1
    for _ in range(20):
        now[0] += leases.HEARTBEAT_TIMEOUT / 15
        watch.running()
    assert states(study) == ["FAIL"]


def test_the_best_is_a_complete_trial(study, storage):
    assert leases.best(study.get_trials()) is None
    for value, state in ((0.5, TrialState.COMPLETE), (0.3, TrialState.PRUNED), (0.4, TrialState.COMPLETE)):
        end(storage, leases.claim(study, storage, 9, START), state, value)
    assert leases.best(study.get_trials()).value == 0.4
