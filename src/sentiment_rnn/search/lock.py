"""One driver per study: a lock that ends with its holder, whatever ends that."""

import os
import socket
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import create_engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool

from sentiment_rnn.errors import UserError
from sentiment_rnn.search.storage import TIMEOUTS

ME = f"sentiment-rnn search, process {os.getpid()} on {socket.gethostname()}"
HOLDER = """SELECT application_name FROM pg_stat_activity JOIN pg_locks USING (pid)
WHERE locktype = 'advisory' AND granted AND objid = :key LIMIT 1"""


@contextmanager
def study_lock(url: str, study: str, work: Path) -> Iterator[Callable[[], None]]:
    """Hold the lock of a study.

    Args:
        url: of the storage.
        study: its name.
        work: folder for the lock of a study in a file.

    Yields:
        To be called from time to time: it takes a lock again that a database lost when it was restarted.

    Raises:
        UserError: another driver holds it, and which.
    """
    if url.startswith("journal:"):
        holder = work / "driver"
        try:
            with FileLock(work / "driver.lock", timeout=0):
                holder.write_text(ME, encoding="utf-8")
                yield lambda: None
        except Timeout:
            raise _held(study, holder.read_text(encoding="utf-8") if holder.exists() else "another process") from None
        return
    lock = AdvisoryLock(url, study)
    lock.ensure()
    try:
        yield lock.ensure
    finally:
        lock.release()


class AdvisoryLock:
    """PostgreSQL's advisory lock of a session, which ends with its connection."""

    def __init__(self, url: str, study: str) -> None:
        arguments = TIMEOUTS | {"application_name": ME[:63]}
        self.engine = create_engine(url, poolclass=NullPool, connect_args=arguments, isolation_level="AUTOCOMMIT")
        self.study, self.key = study, zlib.crc32(study.encode()) & 0x7FFFFFFF
        self.connection = self.engine.connect()
        self.taken = False

    def ensure(self) -> None:
        """Take the lock if this session does not hold it; while the database is away, nothing.

        Raises:
            UserError: another driver holds it.
        """
        try:
            if self.connection.invalidated or self.connection.closed:
                self.connection, self.taken = self.engine.connect(), False
            self.connection.execute(text("SELECT 1"))
            if not self.taken:
                self.taken = bool(self.connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), {"key": self.key}))
                if not self.taken:
                    raise _held(self.study, self.connection.scalar(text(HOLDER), {"key": self.key}) or "another driver")
        except DBAPIError:
            self.connection.invalidate()

    def release(self) -> None:
        """End the session, and with it the lock."""
        self.connection.close()
        self.engine.dispose()


def _held(study: str, holder: str) -> UserError:
    return UserError(f"study {study} is being run by {holder}: wait for it, or stop it")
