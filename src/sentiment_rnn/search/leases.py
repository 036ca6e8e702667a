"""Which process runs which trial, so that a study ends with just the trials asked for, whoever is killed.

A worker claims a trial by writing it down as running, with itself as the owner, and then looks at what the others
wrote: the storage numbers trials in one order for all. If as many as were asked for stand before its own, or
another took the same values up first, its own is surplus and is given up. A trial whose owner died is failed, and its
values are claimed again. No lock is held and no message is sent, so nothing is lost with a process.
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
HEARTBEAT_SECONDS = 5.0  # seconds between an owner's signs of life
HEARTBEAT_TIMEOUT = 60.0  # seconds without one after which an owner on another machine counts as dead
ATTEMPTS = 6  # at the same values, before they are thought to be what kills

# attributes of a trial
OWNER, CLAIMS, SURPLUS, HEARTBEATS = "owner", "claims", "surplus", "beats"


def myself() -> dict[str, Any]:
    """This process, told from every other: its machine (or container), its number, when it was born."""
    return {"host": _host(), "pid": os.getpid(), "born": psutil.Process().create_time()}


def _host() -> str:
    """The machine's name; on Linux also which boot of it, and which set of process numbers the container has."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        return f"{socket.gethostname()} {boot} {os.stat('/proc/self/ns/pid').st_ino}"
    except OSError:
        return socket.gethostname()


def finished(study: Study) -> list[FrozenTrial]:
    """The trials that are complete or pruned, by number."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def best(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the smallest value; none if there is none."""
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    return min(complete, key=lambda trial: trial.value or 0.0, default=None)


def claim(study: Study, storage: BaseStorage, asked: int, start: dict[str, Any]) -> FrozenTrial | None:
    """Take up a trial that is still to be run.

    Args:
        study: to take from.
        storage: the study's.
        asked: how many trials are to finish.
        start: the values of the first trial.

    Returns:
        The trial, now running and owned by this process; None where the others have all that is left.
    """
    me = myself()
    # this process runs none: one that it owns was doubled when an answer of the storage was lost
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.user_attrs.get(OWNER) == me:
            _give_up(storage, trial)
    trials = study.get_trials(deepcopy=False)
    if sum(trial.state is not TrialState.FAIL for trial in trials) >= asked:
        return None
    wanted, values = _next(trials, start)
    number = _create(study, storage, {OWNER: me, CLAIMS: wanted}, values)
    trials = study.get_trials(deepcopy=False)
    mine = trials[number]
    before = [trial for trial in trials[:number] if trial.state is not TrialState.FAIL]
    if len(before) >= asked or any(wanted is not None and trial.user_attrs.get(CLAIMS) == wanted for trial in before):
        _give_up(storage, mine)
        return None
    return mine


def _next(trials: list[FrozenTrial], start: dict[str, Any]) -> tuple[str | int | None, dict[str, Any]]:
    """What is wanted next, and its values: the start, then those of a trial whose owner died, then a new draw."""
    known = [trial for trial in trials if SURPLUS not in trial.user_attrs]
    claimed = {trial.user_attrs.get(CLAIMS) for trial in known}
    if "start" not in claimed:
        return "start", start
    for trial in known:
        if trial.state is TrialState.FAIL and trial.number not in claimed and _attempts(trials, trial) < ATTEMPTS:
            # what it was to draw, and what it has drawn
            return trial.number, trial.system_attrs.get("fixed_params", {}) | trial.params
    return None, {}


def _attempts(trials: Sequence[FrozenTrial], trial: FrozenTrial) -> int:
    """How often the trial's values have been taken up."""
    earlier = trial.user_attrs.get(CLAIMS)
    return 1 + (_attempts(trials, trials[earlier]) if isinstance(earlier, int) else 0)


def _create(study: Study, storage: BaseStorage, attributes: dict[str, Any], values: dict[str, Any]) -> int:
    """Write down a running trial with its owner, in one piece: `study.ask` would leave a moment without one."""
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
    """End a running trial without a value; nothing happens to one that has ended."""
    with contextlib.suppress(UpdateFinishedTrialError):
        storage.set_trial_state_values(trial._trial_id, TrialState.FAIL)


class LeaseMonitor:
    """Finds running trials whose owner is dead, and fails them: at once on this machine, after `HEARTBEAT_TIMEOUT` on others.

    Owners on other machines are known to live by a number that they raise. How long it stood still is timed
    here: the machines' clocks need not agree.
    """

    def __init__(self, study: Study, storage: BaseStorage) -> None:
        self.study = study
        self.storage = storage
        self.seen: dict[int, tuple[Any, float]] = {}
        self.looked = time.monotonic()

    def running(self) -> list[FrozenTrial]:
        """The trials whose owner lives, after the others were failed."""
        alive = []
        running = self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,))
        if time.monotonic() - self.looked > 2 * HEARTBEAT_SECONDS:
            self.seen.clear()  # the storage was away, and the others could show no sign of life either
        self.looked = time.monotonic()
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
                # a clock that is set moves the time of birth a little
                other = abs(process.create_time() - owner["born"]) > 10
                return other or bool(process.status() == psutil.STATUS_ZOMBIE)
            except psutil.NoSuchProcess:
                return True
        beats, now = trial.user_attrs.get(HEARTBEATS), time.monotonic()
        if trial.number not in self.seen or self.seen[trial.number][0] != beats:
            self.seen[trial.number] = (beats, now)
        return now - self.seen[trial.number][1] > HEARTBEAT_TIMEOUT
