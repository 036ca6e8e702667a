"""Which process runs which trial, so that a study ends with exactly `n_trials` finished ones, whichever process dies.

A worker claims a trial by creating it as running, with itself as the owner, and then reads what the others created:
the storage numbers trials in one order for all. If `n_trials` come before its own, or another claimed the same values
first, its own is surplus and is failed. A trial whose owner died is failed, and its values are claimed again. No lock
is held and no message is sent, so nothing is lost with a process.
"""

import contextlib
import os
import socket
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import psutil
from optuna import Study
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
HEARTBEAT_SECONDS = 5.0  # interval of an owner's heartbeats
HEARTBEAT_TIMEOUT = 60.0  # seconds without a heartbeat after which an owner on another machine counts as dead
MAX_ATTEMPTS = 6  # at the same values, which may be what kills the workers

# attributes of a trial
OWNER, CLAIMS, SURPLUS, HEARTBEATS = "owner", "claims", "surplus", "heartbeats"


def process_identity() -> dict[str, Any]:
    """This process among those of all machines: its host (or container), its number, its start time."""
    return {"host": _host(), "pid": os.getpid(), "created": psutil.Process().create_time()}


def _host() -> str:
    """The machine's name; on Linux with its boot id and the container's process namespace."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def finished(study: Study) -> list[FrozenTrial]:
    """The complete and the pruned trials, by number."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def best(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the smallest value; None if there is none."""
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    return min(complete, key=lambda trial: trial.value or 0.0, default=None)


def claim(study: Study, storage: BaseStorage, n_trials: int, start: dict[str, Any]) -> FrozenTrial | None:
    """Claim a trial that is still to be run.

    Args:
        study: the study.
        storage: the study's.
        n_trials: finished trials that the study ends with.
        start: values of the first trial.

    Returns:
        The trial, now running and owned by this process; None if the other processes have claimed all that are left.
    """
    me = process_identity()
    # between two trials this process runs none: a retried storage call created a duplicate
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(OWNER) == me:
            _give_up(storage, trial)
    trials = study.get_trials(deepcopy=False)
    if sum(trial.state is not TrialState.FAIL for trial in trials) >= n_trials:
        return None
    source, values = _next(trials, start)
    number = _create(study, storage, {OWNER: me, CLAIMS: source}, values)
    trials = study.get_trials(deepcopy=False)
    mine = trials[number]
    before = [trial for trial in trials[:number] if trial.state is not TrialState.FAIL]
    taken = source is not None and any(trial.user_attrs.get(CLAIMS) == source for trial in before)
    if len(before) >= n_trials or taken:
        _give_up(storage, mine)
        return None
    return mine


def _next(trials: list[FrozenTrial], start: dict[str, Any]) -> tuple[str | int | None, dict[str, Any]]:
    """The next values: the start, then those of a trial whose owner died, then (None) newly sampled ones."""
    known = [trial for trial in trials if SURPLUS not in trial.user_attrs]
    claimed = {trial.user_attrs.get(CLAIMS) for trial in known}
    if "start" not in claimed:
        return "start", start
    for trial in known:
        if trial.state is TrialState.FAIL and trial.number not in claimed and _attempts(trials, trial) < MAX_ATTEMPTS:
            return trial.number, trial.system_attrs.get("fixed_params", {}) | trial.params
    return None, {}


def _attempts(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> int:
    """How often the trial's values have been claimed."""
    earlier = trial.user_attrs.get(CLAIMS)
    return 1 + (_attempts(trials, trials[earlier]) if isinstance(earlier, int) else 0)


def _create(study: Study, storage: BaseStorage, attributes: dict[str, Any], values: dict[str, Any]) -> int:
    """Create a running trial with its owner in one storage call: `study.ask` would leave a moment without an owner."""
    running = FrozenTrial(
        number=-1,
        state=TrialState.RUNNING,
        value=None,
        values=None,
        datetime_start=datetime.now(),
        datetime_complete=None,
        params={},
        distributions={},
        user_attrs=attributes,
        system_attrs={"fixed_params": values},
        intermediate_values={},
        trial_id=-1,
    )
    trial_id = storage.create_new_trial(storage.get_study_id_from_name(study.study_name), running)
    return storage.get_trial_number_from_id(trial_id)


def _give_up(storage: BaseStorage, trial: FrozenTrial) -> None:
    storage.set_trial_user_attr(trial._trial_id, SURPLUS, True)
    fail(storage, trial)


def fail(storage: BaseStorage, trial: FrozenTrial) -> None:
    """End a running trial without a value; a trial that has ended stays as it is."""
    with contextlib.suppress(UpdateFinishedTrialError):
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


class LeaseMonitor:
    """Fails running trials whose owner is dead: at once on this machine, after `HEARTBEAT_TIMEOUT` on others.

    An owner raises a heartbeat counter. How long it stands still is timed here: the machines' clocks may differ.
    """

    def __init__(self, study: Study, storage: BaseStorage) -> None:
        self.study = study
        self.storage = storage
        self.heartbeats: dict[int, tuple[Any, float]] = {}
        self.checked = time.monotonic()

    def running(self) -> list[FrozenTrial]:
        """Fail the trials of dead owners; the other running ones."""
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if time.monotonic() - self.checked > 2 * HEARTBEAT_SECONDS:
            self.heartbeats.clear()  # the storage was away, so that no owner could raise its counter
        self.checked = time.monotonic()
        alive = []
        for trial in running:
            if self._is_dead(trial):
                fail(self.storage, trial)
            else:
                alive.append(trial)
        return alive

    def _is_dead(self, trial: FrozenTrial) -> bool:
        owner = trial.user_attrs[OWNER]
        if owner["host"] == _host():
            try:
                process = psutil.Process(owner["pid"])
                # an adjusted clock shifts the start time a little; a reused process number has another one
                reused = abs(process.create_time() - owner["created"]) > 10
                return reused or bool(process.status() == psutil.STATUS_ZOMBIE)
            except psutil.NoSuchProcess:
                return True
        heartbeats, now = trial.user_attrs.get(HEARTBEATS), time.monotonic()
        if trial.number not in self.heartbeats or self.heartbeats[trial.number][0] != heartbeats:
            self.heartbeats[trial.number] = (heartbeats, now)
        return now - self.heartbeats[trial.number][1] > HEARTBEAT_TIMEOUT
