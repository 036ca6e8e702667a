"""MLflow's store: `mlruns/mlflow.db` and `mlruns/artifacts`, or the one that MLFLOW_TRACKING_URI names."""

import logging
import os
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy.engine import make_url

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import views

HOME = Path("mlruns")

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one bar per model, of two files

logging.getLogger("mlflow.store.db").setLevel(logging.WARNING)  # otherwise one line per migration of a new database


def home() -> Path:
    """The project's `mlruns`; in the copy where DVC runs a queued experiment, that of the project itself."""
    project = os.environ.get("DVC_ROOT")
    return Path(project, HOME) if project and Path(project).resolve() != Path.cwd() else HOME


def tracking_uri() -> str:
    """The environment's MLFLOW_TRACKING_URI, else a database in the project (MLflow refuses a plain file store)."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home()}/mlflow.db"


def database(uri: str) -> Path | None:
    """The file of an SQLite URI; None for another store."""
    return Path(make_url(uri).database or "") if uri.startswith("sqlite:") else None


def connect() -> MlflowClient:
    """A client of the tracking store and of the registry, which is the same store.

    A new database is created here, before worker processes use it: MLflow's migrations fail if two processes run them
    at once. Write-ahead logging is enabled, in which readers and a writer do not wait for each other: otherwise many
    workers on one database end with "database is locked".

    Raises:
        UserError: the store does not respond.
    """
    uri = tracking_uri()
    try:
        with _few_retries():
            if file := database(uri):
                file.parent.mkdir(parents=True, exist_ok=True)
                with FileLock(f"{file}.lock"):
                    if not file.exists():
                        with closing(sqlite3.connect(file)) as connection:
                            connection.execute("PRAGMA journal_mode=WAL")
                    return _client(uri)
            return _client(uri)
    except Exception as error:
        # MLflow raises whatever its database driver or HTTP client raised
        shown = make_url(uri).render_as_string(hide_password=True) if "://" in uri else uri
        raise UserError(
            f"MLflow's store {shown} does not respond ({type(error).__name__}): start it, or unset MLFLOW_TRACKING_URI"
        ) from error


def _client(uri: str) -> MlflowClient:
    client = MlflowClient(tracking_uri=uri, registry_uri=uri)
    client.search_experiments(max_results=1)
    return client


def connect_to_existing() -> MlflowClient:
    """As `connect`, for commands that only read: no database is created.

    Raises:
        UserError: there is no database, or the store does not respond.
    """
    file = database(tracking_uri())
    if file and not file.exists():
        raise UserError(f"there is no {file}: run `make run` in the project's root, which creates it")
    return connect()


@contextmanager
def _few_retries() -> Iterator[None]:
    """Limit MLflow's 7 retries while connecting: they take minutes. Later they help with a server's short outage."""
    name = "MLFLOW_HTTP_REQUEST_MAX_RETRIES"
    if name in os.environ:
        yield
        return
    os.environ[name] = "3"
    try:
        yield
    finally:
        del os.environ[name]


def experiment(client: MlflowClient, name: str) -> str:
    """The id of the experiment `name`, which is created with a description and a view if there is none.

    Raises:
        UserError: the experiment was deleted.
    """
    found, uri = client.get_experiment_by_name(name), tracking_uri()
    if found is None:
        # a server chooses the folder of artifacts; next to a database MLflow would put them directly into ./mlruns
        artifacts = str(home() / "artifacts" / name) if database(uri) else None
        try:
            return client.create_experiment(name, artifacts, views.tags(name))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was first
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        variable = f"MLFLOW_TRACKING_URI={uri} " if database(uri) else ""  # otherwise the user has set it
        raise UserError(
            f"MLflow's experiment {name} was deleted; to restore it: "
            f"`{variable}mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    return found.experiment_id
