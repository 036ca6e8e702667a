"""Where studies are kept: a journal file that the processes of one machine share, or a database for many machines."""

import functools
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from filelock import FileLock
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage, JournalStorage, RDBStorage, _CachedStorage
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

PATIENCE = 180.0  # seconds that a database may be away before a search gives up
# a database's host that vanished without a word is noticed within half a minute (libpq's words, seconds; the last: ms)
VANISHED = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 3,
    "tcp_user_timeout": 30_000,
}


class PatientStorage(_CachedStorage):
    """Optuna's storage in a database, each of whose calls waits while the database is away.

    A call whose answer was lost is made again. What that could double, a new trial, `ownership` finds by its owner.
    """


def _patiently(method: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(method)
    def call(self: PatientStorage, *args: Any, **kwargs: Any) -> Any:
        deadline = time.monotonic() + PATIENCE
        while True:
            try:
                return method(self, *args, **kwargs)
            except StorageInternalError as error:
                # the last of these is said of a transaction that was under way when the connection broke
                away = isinstance(error.__cause__, OperationalError | InterfaceError | PendingRollbackError)
                if not away or time.monotonic() > deadline:
                    raise
                self.remove_session()
                time.sleep(1)

    return call


for _name in BaseStorage.__abstractmethods__:
    setattr(PatientStorage, _name, _patiently(getattr(_CachedStorage, _name)))
PatientStorage.__abstractmethods__ = frozenset()


def storage_url(named: str | None, folder: Path) -> str:
    """The environment's OPTUNA_STORAGE, else the one named in params.yaml, else a journal file in `folder`."""
    return os.environ.get("OPTUNA_STORAGE") or named or f"journal://{folder.absolute() / 'study.journal'}"


def redact_url(url: str) -> str:
    """A storage's URL without its password."""
    return url if url.startswith("journal:") else make_url(url).render_as_string(hide_password=True)


def open_storage(url: str, patience: float = 0.0) -> BaseStorage:
    """Open a storage, making its file or its tables where they are missing.

    Args:
        url: see `storage_url`.
        patience: seconds to wait for a database that does not answer.

    Raises:
        UserError: the database does not answer, or is of a kind that cannot be shared.
    """
    if url.startswith("journal://"):
        file = url.removeprefix("journal://")
        Path(file).parent.mkdir(parents=True, exist_ok=True)
        # the system frees this lock when its holder is killed; Optuna's own would be waited for, 30 s
        return JournalStorage(JournalFileBackend(file, lock_obj=FileLock(f"{file}.lock", poll_interval=0.01)))
    if url.startswith("sqlite"):
        raise UserError(
            "search.storage: processes side by side lock one another out of sqlite: leave it null for a file on this "
            "machine, or name a PostgreSQL database"
        )
    try:
        return PatientStorage(_connect(url, time.monotonic() + patience))
    except (ArgumentError, NoSuchModuleError, ValueError) as error:
        raise UserError(f"search.storage: not the URL of a database: {' '.join(str(error).split())}") from error
    except ImportError as error:
        raise UserError(f"search.storage: {error}: pip install 'sentiment-rnn[postgresql]'") from error
    except (SQLAlchemyError, StorageInternalError) as error:
        raise UserError(
            f"search.storage: {redact_url(url)} does not answer ({type(error.__cause__ or error).__name__}): start the "
            "database, or correct the URL (search.storage, or OPTUNA_STORAGE in the environment)"
        ) from error


def _connect(url: str, deadline: float) -> RDBStorage:
    engine: dict[str, Any] = {"pool_pre_ping": True}  # a connection that a restart broke is replaced unseen
    if url.startswith("postgresql"):
        engine["connect_args"] = VANISHED
    while True:
        try:
            return RDBStorage(url, engine_kwargs=engine)
        except (SQLAlchemyError, StorageInternalError) as error:
            away = isinstance(error, OperationalError) or isinstance(error.__cause__, OperationalError)
            if away and time.monotonic() > deadline:
                raise
            if not away and isinstance(error, ArgumentError | NoSuchModuleError):
                raise
            time.sleep(1)  # it is away, or another machine made the tables at the same moment
