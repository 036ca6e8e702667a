"""One driver per study: a lock that ends with its holder, whatever ends that."""

import os
import socket
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import Connection, create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sentiment_rnn.errors import UserError
from sentiment_rnn.search.storage import RETRY_SECONDS, TIMEOUTS

HOLDER = """SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND granted AND objid = :key AND datname = current_database() LIMIT 1"""
# the server too notices within half a minute that a machine has vanished, and releases its lock
KEEPALIVES = "-c tcp_keepalives_idle=10 -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3"


def _me() -> str:
    return f"process {os.getpid()} on {socket.gethostname()}"[:63]  # PostgreSQL's limit


@contextmanager
def study_lock(url: str, study: str) -> Iterator[Callable[[], None]]:
    """Hold the lock of a study: a locked file beside its journal, or PostgreSQL's advisory lock of a session.

    Args:
        url: of the storage.
        study: its name.

    Yields:
        To be called before the study is changed: it takes a lock again that a restart of the database has ended.

    Raises:
        UserError: another driver holds it, and which.
    """
    if url.startswith("journal://"):
        folder = Path(url.removeprefix("journal://")).parent
        holder = folder / f"{study}.holder"
        try:
            with FileLock(folder / f"{study}.lock", timeout=0):
                holder.write_text(_me(), encoding="utf-8")
                yield lambda: None
        except Timeout:
            raise _held(study, holder.read_text(encoding="utf-8") if holder.exists() else "") from None
        return
    lock = AdvisoryLock(url, study)
    try:
        yield lock.ensure
    finally:
        lock.connection.close()


class AdvisoryLock:
    """PostgreSQL's advisory lock, which ends with the connection of its holder.

    Raises:
        UserError: another driver holds it.
    """

    def __init__(self, url: str, study: str) -> None:
        arguments = TIMEOUTS | {"application_name": _me(), "options": KEEPALIVES}
        self.engine = create_engine(url, poolclass=NullPool, connect_args=arguments, isolation_level="AUTOCOMMIT")
        self.study, self.key = study, {"key": zlib.crc32(study.encode()) & 0x7FFFFFFF}
        self.connection = self._take()

    def _take(self, broken: str = "") -> Connection:
        connection = self.engine.connect()
        if not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), self.key):
            holder = connection.scalar(text(HOLDER), self.key)
            connection.invalidate()
            if holder != broken:
                raise _held(self.study, holder)
        return connection

    def ensure(self) -> None:
        """Wait for a database that is away, and take the lock again if the connection broke.

        Raises:
            UserError: another driver has it.
            DBAPIError: the database stays away.
        """
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                if self.connection.invalidated:
                    self.connection = self._take(broken=_me())  # whose session a server may still hold
                else:
                    self.connection.execute(text("SELECT 1"))
                return
            except DBAPIError:
                self.connection.invalidate()
                if time.monotonic() > deadline:
                    raise
                time.sleep(1)


def _held(study: str, holder: str | None) -> UserError:
    return UserError(f"study {study} is being run by {holder or 'another process'}: wait for it, or stop it")
