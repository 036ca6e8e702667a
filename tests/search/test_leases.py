"""The number of finished trials is exact whichever process dies: each interleaving of two workers, step by step."""

import os
import subprocess
import sys
import time

import optuna
import psutil
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


def sampled(study, trial) -> float:
    return optuna.trial.Trial(study, trial._trial_id).suggest_float("learning_rate", 0.001, 0.01)


def other_process(monkeypatch, **changes):
    """Claims come from another process from now on."""
    identity = {"host": leases._host(), "pid": 1, "created": 0.0} | changes
    monkeypatch.setattr(leases, "process_identity", lambda: identity)


def test_the_first_claim_has_the_start_values_and_an_owner_from_its_creation(study, storage):
    trial = leases.claim(study, storage, 2, START)
    assert trial.state is TrialState.RUNNING
    assert trial.user_attrs["owner"] == leases.process_identity()
    assert trial.user_attrs["owner"]["pid"] == os.getpid()
    assert sampled(study, trial) == 0.005


def test_finished_and_running_trials_never_exceed_n_trials(study, storage, monkeypatch):
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
    assert leases.claim(study, storage, 3, START) is not None, "n_trials was raised"


@pytest.mark.parametrize("n_trials", [1, 2])
def test_of_two_simultaneous_claims_of_the_same_values_one_is_surplus(study, storage, monkeypatch, n_trials):
    create = leases._create
    other = []

    def create_second(*arguments):
        if not other:  # the other process claims between this one's reading and its claim
            other.append(None)
            with monkeypatch.context() as patch:
                other_process(patch, host="elsewhere")
                other[0] = leases.claim(study, storage, n_trials, START)
        return create(*arguments)

    monkeypatch.setattr(leases, "_create", create_second)
    assert leases.claim(study, storage, n_trials, START) is None
    assert other[0] is not None
    assert states(study) == ["RUNNING", "FAIL"]
    again = leases.claim(study, storage, n_trials, START)
    if n_trials == 1:
        assert again is None
    else:
        assert again.user_attrs["claims"] is None, "a surplus trial is not repeated"


def test_the_values_of_a_dead_owner_are_claimed_again_once(study, storage, monkeypatch):
    end(storage, leases.claim(study, storage, 3, START))
    other_process(monkeypatch)
    killed = leases.claim(study, storage, 3, START)
    value = sampled(study, killed)
    monkeypatch.undo()

    assert leases.LeaseMonitor(study, storage).running() == []
    assert states(study) == ["COMPLETE", "FAIL"]
    again = leases.claim(study, storage, 3, START)
    assert again.user_attrs["claims"] == killed.number
    assert sampled(study, again) == value
    other_process(monkeypatch, host="elsewhere")
    assert leases.claim(study, storage, 3, START).user_attrs["claims"] is None


def test_the_start_values_are_claimed_again_too(study, storage, monkeypatch):
    other_process(monkeypatch)
    leases.claim(study, storage, 1, START)  # killed before it sampled anything
    monkeypatch.undo()
    leases.LeaseMonitor(study, storage).running()
    assert sampled(study, leases.claim(study, storage, 1, START)) == 0.005


def test_a_trial_duplicated_by_a_lost_response_is_failed_by_its_owner(study, storage):
    assert leases.claim(study, storage, 2, START) is not None
    trial = leases.claim(study, storage, 2, START)
    assert states(study) == ["FAIL", "RUNNING"]
    assert trial.user_attrs["claims"] == "start"


def test_a_zombie_and_a_reused_process_number_count_as_dead(study, storage, monkeypatch):
    process = subprocess.Popen([sys.executable, "-S", "-c", "input()"], stdin=subprocess.PIPE)
    other_process(monkeypatch, pid=process.pid, created=psutil.Process(process.pid).create_time())
    leases.claim(study, storage, 1, START)
    monkeypatch.undo()
    monitor = leases.LeaseMonitor(study, storage)
    assert len(monitor.running()) == 1
    process.kill()
    deadline = time.monotonic() + 20
    while monitor.running() and time.monotonic() < deadline:
        time.sleep(0.05)  # without `wait` it ends as a zombie
    assert states(study) == ["FAIL"]
    process.communicate()

    other_process(monkeypatch, pid=os.getpid(), created=1.0)
    leases.claim(study, storage, 1, START)
    assert monitor.running() == []


def test_an_owner_on_another_machine_lives_as_long_as_its_heartbeats(study, storage, monkeypatch):
    other_process(monkeypatch, host="elsewhere")
    trial = leases.claim(study, storage, 1, START)
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    monitor = leases.LeaseMonitor(study, storage)
    for count in range(20):
        storage.set_trial_user_attr(trial._trial_id, "heartbeats", count // 3)
        assert len(monitor.running()) == 1
        now[0] += leases.HEARTBEAT_SECONDS
    for _ in range(int(leases.HEARTBEAT_TIMEOUT / leases.HEARTBEAT_SECONDS) - 2):
        now[0] += leases.HEARTBEAT_SECONDS
        assert len(monitor.running()) == 1
    for _ in range(4):
        now[0] += leases.HEARTBEAT_SECONDS
        monitor.running()
    assert states(study) == ["FAIL"]


def test_a_finished_trial_cannot_be_failed(study, storage):
    trial = leases.claim(study, storage, 1, START)
    end(storage, trial)
    leases.fail(storage, trial)
    assert states(study) == ["COMPLETE"]


def test_values_that_kill_every_worker_are_abandoned(study, storage):
    for attempt in range(leases.MAX_ATTEMPTS):
        trial = leases.claim(study, storage, 1, START)
        assert trial.user_attrs["claims"] == (trial.number - 1 if attempt else "start")
        leases.fail(storage, trial)
    assert leases.claim(study, storage, 1, START).user_attrs["claims"] is None


def test_time_without_a_storage_does_not_count_against_an_owner(study, storage, monkeypatch):
    other_process(monkeypatch, host="elsewhere")
    leases.claim(study, storage, 1, START)
    now = [1000.0]
    monkeypatch.setattr(leases.time, "monotonic", lambda: now[0])
    monitor = leases.LeaseMonitor(study, storage)
    assert len(monitor.running()) == 1
    now[0] += leases.HEARTBEAT_TIMEOUT + 30  # reading the storage took so long
    assert len(monitor.running()) == 1
    for _ in range(20):
        now[0] += leases.HEARTBEAT_TIMEOUT / 15
        monitor.running()
    assert states(study) == ["FAIL"]


def test_the_best_is_a_complete_trial(study, storage):
    assert leases.best(study.get_trials()) is None
    for value, state in ((0.5, TrialState.COMPLETE), (0.3, TrialState.PRUNED), (0.4, TrialState.COMPLETE)):
        end(storage, leases.claim(study, storage, 9, START), state, value)
    assert leases.best(study.get_trials()).value == 0.4
