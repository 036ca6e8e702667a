"""MLflow's database as a file: created as a whole, corrected after a move, waited for while it is locked."""

import sqlite3
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import url2pathname

from sqlalchemy import Connection, create_engine, event
from sqlalchemy.engine import Engine

from sentiment_rnn.errors import UserError

LOCKED_SECONDS = 180.0  # as long as a search waits for PostgreSQL
LOCATIONS = (  # the columns of MLflow's tables that have absolute paths of artifacts
    ("experiments", "artifact_location"),
    ("runs", "artifact_uri"),
    ("logged_models", "artifact_location"),
    ("model_versions", "source"),
    ("model_versions", "storage_location"),
)


def create(file: Path, initialize: Callable[[str], Any]) -> None:
    """Create a database under another name, then rename it: one whose creation was killed cannot be used.

    Args:
        file: the database.
        initialize: creates the tables of a database, given its URI.
    """
    partial = file.absolute().with_name(f"{file.name}.partial")
    for left in partial.parent.glob(f"{partial.name}*"):
        left.unlink()
    initialize(f"sqlite:///{partial}")
    partial.rename(file)


def enable_wal(uri: str) -> None:
    """Enable write-ahead logging, in which readers and a writer do not wait for each other.

    Otherwise many workers on one database end with "database is locked".
    """
    with _connection(uri) as connection:
        connection.exec_driver_sql("PRAGMA journal_mode=WAL")


def artifacts(file: Path, experiment: str) -> str:
    """Where the artifacts of an experiment are, beside the database; a URI, as MLflow misreads `#` or `%` in a path."""
    return (file.parent.resolve() / "artifacts" / experiment).as_uri()


def relocate(uri: str, file: Path) -> None:
    """Correct the locations of artifacts in a store that was moved or copied, in one transaction.

    MLflow has absolute locations only, and no command that changes them. What precedes `artifacts/NAME` in the location
    of the experiment NAME is the folder where the store was before.
    """
    now = file.parent.resolve()
    with _connection(uri) as connection:
        experiments = connection.exec_driver_sql("SELECT name, artifact_location FROM experiments").tuples()
        paths = {name: _path(location) for name, location in experiments if location}
        folders = {path.parents[1] for name, path in paths.items() if path.parts[-2:] == ("artifacts", name)}
        for folder in folders - {now}:
            for before in (f"{folder}/", f"{folder.as_uri()}/"):
                for table, column in LOCATIONS:
                    connection.exec_driver_sql(
                        f"UPDATE {table} SET {column} = ? || substr({column}, ?) WHERE substr({column}, 1, ?) = ?",
                        (f"{now.as_uri()}/", len(before) + 1, len(before), before),
                    )
        connection.commit()


def _path(location: str) -> Path:
    """The path of a location, which is a URI, or a path if MLflow chose it."""
    return Path(url2pathname(urlsplit(location).path) if location.startswith("file:") else location)


@contextmanager
def _connection(uri: str) -> Iterator[Connection]:
    engine = create_engine(uri)
    try:
        with engine.connect() as connection:
            yield connection
    finally:
        engine.dispose()


@event.listens_for(Engine, "do_execute")
@event.listens_for(Engine, "do_executemany")
def _wait_while_locked(cursor: Any, statement: str, parameters: Any, context: Any) -> bool | None:
    """Repeat a statement while another program, a backup for example, has locked an SQLite database."""
    if context.dialect.name != "sqlite":
        return None
    execute = cursor.executemany if context.executemany else cursor.execute
    deadline, told = time.monotonic() + LOCKED_SECONDS, False
    while True:
        try:
            execute(statement, parameters)
            return True
        except sqlite3.OperationalError as error:
            if error.sqlite_errorname not in ("SQLITE_BUSY", "SQLITE_BUSY_RECOVERY"):
                raise
            file = context.engine.url.database
            if time.monotonic() > deadline:
                raise UserError(
                    f"{file} has been locked by another program for {LOCKED_SECONDS:.0f} s: once it (a backup, a "
                    "database browser) has ended, the same command resumes"
                ) from error
            if not told:
                print(f"{file} is locked by another program: waiting", file=sys.stderr, flush=True)
            told = True
            time.sleep(0.1)  # SQLite itself has waited, MLflow sets 20 s
