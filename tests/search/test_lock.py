"""One driver per study, on a journal and on a database; the lock of a killed process is free."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.search.lock import study_lock
from sentiment_rnn.search.storage import open_storage

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
    back = threading.Timer(2, postgresql.start)
    back.start()
    assert holder.keep() == "kept", "it waited"
    back.join()
    with pytest.raises(UserError, match=f"process {holder.process.pid} "), study_lock(url, "imdb-bilstm"):
        pass
    postgresql.kill()
    postgresql.start()
    open_storage(url, timeout=20)  # it has started up
    with study_lock(url, "imdb-bilstm"):
        assert f"is being run by process {os.getpid()} " in holder.keep(), "it has lost the lock"
    assert holder.keep() == "kept"
    holder.kill()
