"""One driver per study, on a journal and on a database; the lock of a killed process is free."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.search.lock import study_lock

HOLD = """
import sys, time
from sentiment_rnn.search.lock import study_lock
with study_lock(sys.argv[1], "imdb-bilstm") as keep:
    print("locked", flush=True)
    for line in sys.stdin:
        try:
            keep()
            print("kept", flush=True)
        except Exception as error:
            print(error, flush=True)
"""


class Holder:
    """Another process that has the lock."""

    def __init__(self, url: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", HOLD, url], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._line() == "locked"

    def keep(self) -> str:
        assert self.process.stdin
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self._line()

    def _line(self) -> str:
        assert self.process.stdout
        return self.process.stdout.readline().strip()

    def kill(self) -> None:
        self.process.kill()
        self.process.communicate()


@pytest.fixture(params=["journal", "postgresql"])
def url(request, tmp_path: Path) -> str:
    if request.param == "journal":
        return f"journal://{tmp_path}/study.journal"
    return request.getfixturevalue("postgresql").url("optuna")


def acquire(url: str) -> None:
    """Take and release it; a server needs a moment to notice that its client was killed."""
    deadline = time.monotonic() + 20
    while True:
        try:
            with study_lock(url, "imdb-bilstm"):
                return
        except UserError:
            assert time.monotonic() < deadline
            time.sleep(0.05)


def test_a_second_driver_is_told_who_has_the_lock_until_that_is_killed(url):
    holder = Holder(url)
    expected = f"study imdb-bilstm is being run by process {holder.process.pid} on .*: wait for it, or stop it"
    with pytest.raises(UserError, match=expected), study_lock(url, "imdb-bilstm"):
        pass
    with study_lock(url, "imdb-gru") as keep:
        keep()
    assert holder.keep() == "kept"
    holder.kill()
    acquire(url)
    acquire(url)


def test_the_lock_of_a_database_is_taken_again_after_its_restart(postgresql):
    url = postgresql.url("optuna")
    holder = Holder(url)
    postgresql.kill()
    try:
        assert holder.keep() == "kept", "while it is away nothing can be done"
        assert holder.keep() == "kept"
    finally:
        postgresql.start()
    deadline = time.monotonic() + 20
    while True:  # it still starts up
        assert holder.keep() == "kept"
        try:
            with pytest.raises(UserError, match=f"process {holder.process.pid} "), study_lock(url, "imdb-bilstm"):
                pass
            break
        except BaseException:
            assert time.monotonic() < deadline
            time.sleep(0.1)

    postgresql.kill()
    postgresql.start()
    deadline = time.monotonic() + 20
    while True:
        try:
            with study_lock(url, "imdb-bilstm"):
                assert f"process {os.getpid()} " in holder.keep() + holder.keep(), "it has lost the lock"
            break
        except Exception:
            assert time.monotonic() < deadline
            time.sleep(0.1)
    assert holder.keep() == "kept"
    holder.kill()
