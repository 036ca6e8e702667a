"""Which storage is used, which URLs are refused in one line, and a database that goes away."""

import errno
import json
import os
import subprocess
import sys
import threading
import time

import optuna
import pytest
from cures import run_cure
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from sqlalchemy.exc import OperationalError

from sentiment_rnn.errors import UserError
from sentiment_rnn.search import storage
from sentiment_rnn.search.storage import open_storage, redact_url, storage_url


def test_the_environment_overrides_params_and_a_file_is_the_default(tmp_path, monkeypatch):
    assert storage_url(None, tmp_path) == f"journal://{tmp_path}/study.journal"
    assert storage_url("postgresql://here/db", tmp_path) == "postgresql://here/db"
    monkeypatch.setenv("OPTUNA_STORAGE", "postgresql://there/db")
    assert storage_url("postgresql://here/db", tmp_path) == "postgresql://there/db"


def test_a_password_is_not_shown():
    assert redact_url("postgresql://me:secret@host/db") == "postgresql://me:***@host/db"


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("sqlite:///study.db", "lock one another out"),
        ("mysql://me:secret@host/db", "a PostgreSQL database"),
        ("postgresql://me:secret@127.0.0.1:9/db", "does not respond"),
        ("postgresql://host:port/db", "not the URL"),
    ],
)
def test_an_unusable_url_is_refused_in_one_line(url, message):
    with pytest.raises(UserError, match=message) as raised:
        open_storage(url)
    assert "secret" not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_the_lock_of_a_killed_process_is_released(tmp_path):
    url = f"journal://{tmp_path}/study.journal"
    hold = (
        "import time; from filelock import FileLock\n"
        f"lock = FileLock('{tmp_path}/study.journal.lock'); lock.acquire()\n"
        "print('locked', flush=True); time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", hold], stdout=subprocess.PIPE)
    assert holder.stdout
    assert holder.stdout.readline()
    holder.kill()
    holder.wait()
    start = time.monotonic()
    optuna.create_study(storage=open_storage(url), study_name="one")
    assert time.monotonic() - start < 5


def test_a_call_waits_for_a_database_that_is_away(postgresql):
    opened = open_storage(postgresql.url("optuna"))
    study = optuna.create_study(storage=opened, study_name="away")
    trial = study.ask()
    postgresql.kill()
    back = threading.Timer(3, postgresql.start)
    back.start()
    start = time.monotonic()
    try:
        trial.report(0.2, 1)
        assert time.monotonic() - start > 2, "the call waited"
        study.tell(trial, 0.1)
    finally:
        back.join()
    (found,) = optuna.load_study(storage=opened, study_name="away").get_trials()
    assert (found.state.name, found.value, found.intermediate_values) == ("COMPLETE", 0.1, {1: 0.2})


def test_the_end_of_a_trial_is_recorded_once_if_the_response_is_lost(postgresql, monkeypatch):
    opened = open_storage(postgresql.url("optuna"))
    study = optuna.create_study(storage=opened, study_name="lost")
    trial = study.ask()
    end, lost = opened.storage.set_trial_state_values, []

    def end_without_response(*arguments):
        end(*arguments)
        if not lost:
            lost.append(True)
            raise optuna.exceptions.StorageInternalError from OperationalError("", {}, Exception())

    monkeypatch.setattr(opened.storage, "set_trial_state_values", end_without_response)
    study.tell(trial, 0.1)
    assert lost
    assert [found.value for found in study.get_trials()] == [0.1]
    with pytest.raises(optuna.exceptions.UpdateFinishedTrialError):
        opened.set_trial_state_values(study.get_trials()[0]._trial_id, TrialState.FAIL)


def test_a_journal_that_was_cut_off_in_the_middle_of_a_line_stays_readable(tmp_path):
    file = tmp_path / "study.journal"
    study = optuna.create_study(storage=open_storage(f"journal://{file}"), study_name="one")
    study.tell(study.ask(), 0.5)
    complete = file.read_bytes().splitlines()[-1]
    for number, length in enumerate((1, len(complete) // 2, len(complete))):
        with file.open("ab") as journal:
            journal.write(complete[:length])  # by a process that was killed
        again = optuna.load_study(storage=open_storage(f"journal://{file}"), study_name="one")
        study.set_user_attr("number", number)
        again.set_user_attr("again", number)
        for one in (study, again, optuna.load_study(storage=open_storage(f"journal://{file}"), study_name="one")):
            assert [trial.value for trial in one.get_trials()] == [0.5]
            assert one.user_attrs == {"number": number, "again": number}


@pytest.mark.parametrize("written", [0, 20])
def test_a_full_disk_is_one_line_and_costs_no_trial(tmp_path, monkeypatch, written):
    """A part of the lines is written, as when a disk is full."""
    file = tmp_path / "study.journal"
    study = optuna.create_study(storage=open_storage(f"journal://{file}"), study_name="one")
    study.tell(study.ask(), 0.5)

    def append(journal, logs):
        with file.open("ab") as opened:
            opened.write(json.dumps(logs).encode()[:written])
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as full:
        full.setattr(JournalFileBackend, "append_logs", append)
        with pytest.raises(UserError, match=r"study\.journal: No space left on device: free some space"):
            study.ask()
    assert file.read_bytes().endswith(b"\n")
    study.tell(study.ask(), 0.25)
    again = optuna.load_study(storage=open_storage(f"journal://{file}"), study_name="one")
    assert [trial.value for trial in again.get_trials()] == [trial.value for trial in study.get_trials()] == [0.5, 0.25]


def _fill(study: optuna.Study) -> None:
    while True:
        study.tell(study.ask(), 0.5)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root mounts a file system")
def test_a_disk_of_eight_kilobytes(tmp_path):
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(disk)]
    if subprocess.run(mount, check=False, capture_output=True).returncode:
        pytest.skip("this container may not mount a file system")
    try:
        study = optuna.create_study(storage=open_storage(f"journal://{disk}/study.journal"), study_name="one")
        with pytest.raises(UserError, match="No space left on device"):
            _fill(study)
        known = optuna.load_study(storage=open_storage(f"journal://{disk}/study.journal"), study_name="one").trials
        subprocess.run(["mount", "-o", "remount,size=64k", str(disk)], check=True)
        study.tell(study.ask(), 0.25)
        again = optuna.load_study(storage=open_storage(f"journal://{disk}/study.journal"), study_name="one").trials
        assert [trial.value for trial in again] == [*(trial.value for trial in known), 0.25]
    finally:
        subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(
    "damage",
    [
        lambda lines: [*lines[:2], lines[2][:9] + b"\n", *lines[3:]],
        lambda lines: [*lines[:2], bytes(100) + b"\n", *lines[3:]],
        lambda lines: [*lines[:2], b"[1]\n", *lines[3:]],
        lambda lines: [bytes(range(128, 228)) + b"\n"],
    ],
)
def test_a_damaged_journal_is_one_line_and_the_cure_begins_a_new_study(tmp_path, damage):
    file = tmp_path / "a folder" / "study.journal"
    study = optuna.create_study(storage=open_storage(f"journal://{file}"), study_name="one")
    for _ in range(2):
        study.tell(study.ask(), 0.5)
    lines = damage(file.read_bytes().splitlines(keepends=True))
    file.write_bytes(b"".join(lines))
    with pytest.raises(UserError, match=r"study\.journal is damaged") as refused:
        open_storage(f"journal://{file}")
    assert "\n" not in str(refused.value)
    run_cure(str(refused.value), "mv {} {}.damaged", tmp_path)
    assert file.with_name("study.journal.damaged").read_bytes() == b"".join(lines)
    assert not optuna.create_study(storage=open_storage(f"journal://{file}"), study_name="one").trials


def test_a_worker_waits_for_a_database_that_is_away_when_it_starts(postgresql):
    postgresql.kill()
    with pytest.raises(UserError, match="does not respond"):
        open_storage(postgresql.url("optuna"))
    back = threading.Timer(2, postgresql.start)
    back.start()
    try:
        open_storage(postgresql.url("optuna"), timeout=30)
    finally:
        back.join()


def test_a_database_that_stays_away_is_an_error(postgresql, monkeypatch):
    monkeypatch.setattr(storage, "RETRY_SECONDS", 1.0)
    opened = open_storage(postgresql.url("optuna"))
    postgresql.kill()
    try:
        with pytest.raises(optuna.exceptions.StorageInternalError):
            optuna.create_study(storage=opened, study_name="never")
    finally:
        postgresql.start()
