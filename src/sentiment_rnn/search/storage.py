"""Optuna storages: a journal file for the processes of one machine, a PostgreSQL database for several machines."""

import os
import shlex
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from filelock import FileLock
from optuna.exceptions import StorageInternalError, UpdateFinishedTrialError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, InterfaceError, OperationalError, PendingRollbackError, SQLAlchemyError

from sentiment_rnn.errors import UserError

RETRY_SECONDS = 180.0  # how long a database may be away before a search ends with an error
# libpq's settings (seconds; the last: ms): a database host that vanished is noticed within half a minute
TIMEOUTS = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class Journal(JournalFileBackend):
    """A journal file that stays readable after the process that writes to it is killed.

    Optuna would append to a line that was cut off, and fail to read both. The system releases the lock when its holder
    is killed; Optuna's own would block for 30 s.
    """

    def __init__(self, file: str) -> None:
        self.file, self.lock = file, FileLock(f"{file}.lock", poll_interval=0.01)
        super().__init__(file, lock_obj=self.lock)

    def append_logs(self, logs: list[dict[str, Any]]) -> None:
        with self.lock, open(self.file, "rb+") as file:
            size = _cut_incomplete_line(file)
            try:
                super().append_logs(logs)
            except OSError as error:  # a full disk
                file.truncate(size)
                raise UserError(
                    f"{self.file}: {error.strerror}: free some space on its disk; the same command resumes the search"
                ) from error

    def read_logs(self, log_number_from: int) -> Iterator[dict[str, Any]]:
        try:
            yield from super().read_logs(log_number_from)
        except ValueError as error:
            raise _damaged(self.file, error) from error


def _cut_incomplete_line(file: BinaryIO) -> int:
    """Cut off what follows the last newline; the file's size then."""
    size = file.seek(0, os.SEEK_END)
    if size:
        file.seek(size - 1)
        if file.read() != b"\n":
            file.seek(0)
            size = file.truncate(file.read().rfind(b"\n") + 1)
    return size


def _damaged(file: str, error: Exception) -> UserError:
    """The error for a journal that Optuna cannot read."""
    reason, quoted = " ".join(str(error).split()) or type(error).__name__, shlex.quote(file)
    return UserError(
        f"{file} is damaged ({reason[:80]}): `mv {quoted} {quoted}.damaged` and the same command begin a new study; "
        "the trials of this one are in MLflow"
    )


def _retried(name: str) -> Callable[..., Any]:
    """A storage's method that is called again while the database is away."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        deadline, repeated = time.monotonic() + RETRY_SECONDS, False
        while True:
            try:
                return getattr(self.storage, name)(*args, **kwargs)
            except UpdateFinishedTrialError:
                if repeated and name == "set_trial_state_values":
                    return True  # the call before has ended the trial
                raise
            except StorageInternalError as error:
                # PendingRollbackError: a transaction was open when the connection broke
                away = isinstance(error.__cause__, OperationalError | InterfaceError | PendingRollbackError)
                if not away or time.monotonic() > deadline:
                    raise
                self.storage.remove_session()
                repeated = True
                time.sleep(1)

    return call


# A call whose response was lost is made again, which can create a trial twice: `study.fail_orphans` ends the other.
RetryingStorage: Any = type(
    "RetryingStorage",
    (BaseStorage,),
    {
        "__doc__": "A storage whose calls wait while its database is away.",
        "__init__": lambda self, storage: setattr(self, "storage", storage),
        **{name: _retried(name) for name in BaseStorage.__abstractmethods__},
    },
)


def storage_url(configured: str | None, folder: Path) -> str:
    """The environment's OPTUNA_STORAGE, else the URL of params.yaml, else a journal file in `folder`."""
    return os.environ.get("OPTUNA_STORAGE") or configured or f"journal://{folder.absolute() / 'study.journal'}"


def redact_url(url: str) -> str:
    """A storage's URL without its password."""
    return url if url.startswith("journal:") else make_url(url).render_as_string(hide_password=True)


def open_storage(url: str, timeout: float = 0.0) -> BaseStorage:
    """Open a storage; its file or its tables are created if they are missing.

    Args:
        url: see `storage_url`.
        timeout: seconds to wait for a database that does not respond.

    Raises:
        UserError: the file is damaged, or the database does not respond or is of a kind that processes cannot share.
    """
    if url.startswith("journal://"):
        file = url.removeprefix("journal://")
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        journal = Journal(file)
        try:
            return JournalStorage(journal)
        except (LookupError, TypeError, AssertionError) as error:  # each line is JSON, but they make no study
            raise _damaged(file, error) from error
    if not url.startswith("postgresql"):
        raise UserError(
            "search.storage: should be null, for a file on this machine, or the URL of a PostgreSQL database "
            "(parallel processes lock one another out of sqlite)"
        )
    deadline = time.monotonic() + timeout
    while True:
        try:
            # pool_pre_ping replaces a connection that a restart of the database broke
            made = RDBStorage(url, engine_kwargs={"pool_pre_ping": True, "connect_args": TIMEOUTS})
            return RetryingStorage(get_storage(made))
        except (ArgumentError, ValueError) as error:
            raise UserError(f"search.storage: not the URL of a database: {' '.join(str(error).split())}") from error
        except ImportError as error:
            raise UserError(f"search.storage: {error}: `pip install 'sentiment-rnn[postgresql]'`") from error
        except (SQLAlchemyError, StorageInternalError) as error:
            away = any(isinstance(each, OperationalError) for each in (error, error.__cause__))
            if time.monotonic() > (deadline if away else deadline + 5):
                raise UserError(
                    f"search.storage: {redact_url(url)} does not respond ({type(error.__cause__ or error).__name__}): "
                    "start the database, or correct the URL (search.storage, or OPTUNA_STORAGE in the environment)"
                ) from error
            time.sleep(1)  # it is away, or another process created the tables at the same moment
