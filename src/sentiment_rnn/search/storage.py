"""Optuna storages: a journal file for the processes of one machine, a database for several machines."""

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, get_storage
from optuna.storages.journal import JournalFileBackend
from sqlalchemy.engine import make_url
from sqlalchemy.exc import (
    ArgumentError,
    InterfaceError,
    NoSuchModuleError,
    OperationalError,
    PendingRollbackError,
    SQLAlchemyError,
)

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


def _retried(name: str) -> Callable[..., Any]:
    """A storage's method that is called again while the database is away."""

    def call(self: Any, *args: Any, **kwargs: Any) -> Any:
        deadline = time.monotonic() + RETRY_SECONDS
        while True:
            try:
                return getattr(self.storage, name)(*args, **kwargs)
            except StorageInternalError as error:
                # PendingRollbackError: a transaction was open when the connection broke
                away = isinstance(error.__cause__, OperationalError | InterfaceError | PendingRollbackError)
                if not away or time.monotonic() > deadline:
                    raise
                self.storage.remove_session()
                time.sleep(1)

    return call


# A call whose response was lost is made again. What that can duplicate, a new trial, `leases.claim` finds by its owner.
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
        UserError: the database does not respond, or is of a kind that processes cannot share.
    """
    if url.startswith("journal://"):
        file = url.removeprefix("journal://")
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        # the system releases this lock when its holder is killed; Optuna's own would block for 30 s
        return JournalStorage(JournalFileBackend(file, lock_obj=FileLock(f"{file}.lock", poll_interval=0.01)))
    if url.startswith("sqlite"):
        raise UserError(
            "search.storage: parallel processes lock one another out of sqlite: leave it null for a file on this "
            "machine, or name a PostgreSQL database"
        )
    try:
        storage: BaseStorage = RetryingStorage(get_storage(_connect(url, time.monotonic() + timeout)))
        return storage
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UserError(f"search.storage: not the URL of a database: {' '.join(str(error).split())}") from error
    except ImportError as error:
        raise UserError(f"search.storage: {error}: pip install 'sentiment-rnn[postgresql]'") from error
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(
            f"search.storage: {redact_url(url)} does not respond ({type(error.__cause__ or error).__name__}): start "
            "the database, or correct the URL (search.storage, or OPTUNA_STORAGE in the environment)"
        ) from error


def _connect(url: str, deadline: float) -> RDBStorage:
    engine: dict[str, Any] = {"pool_pre_ping": True}  # replaces a connection that a restart of the database broke
    if url.startswith("postgresql"):
        engine["connect_args"] = TIMEOUTS
    while True:
        try:
            return RDBStorage(url, engine_kwargs=engine)
        except (SQLAlchemyError, StorageInternalError) as error:
            away = isinstance(error, OperationalError) or isinstance(error.__cause__, OperationalError)
            if away and time.monotonic() > deadline:
                raise
            if not away and isinstance(error, ArgumentError | NoSuchModuleError):
                raise
            time.sleep(1)  # it is away, or another machine created the tables at the same moment
