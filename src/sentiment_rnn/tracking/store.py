"""MLflow's store: `mlruns/mlflow.db` and `mlruns/artifacts`, or the one that MLFLOW_TRACKING_URI names."""

import logging
import os
import shlex
from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from sqlalchemy import create_engine

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import faults, sqlite, views
from sentiment_rnn.tracking.uri import database, tracking_uri

__all__ = ["connect", "connect_to_existing", "experiment", "tracking_uri"]

os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # one bar per model, of two files

# otherwise one line per migration of a new database, and a traceback before each exception
logging.getLogger("mlflow.store.db").setLevel(logging.CRITICAL)


def connect() -> MlflowClient:
    """A client of the tracking store and of the registry, which is the same store.

    A new database is created here, before worker processes use it: MLflow's migrations fail if two processes run them
    at once.

    Raises:
        UserError: the store does not respond, or cannot be used.
    """
    uri = tracking_uri()
    try:
        with _few_retries():
            file = database(uri)
            if file is None:
                if not uri.startswith("http"):
                    create_engine(uri).connect().close()  # MLflow would repeat it for 100 s
                return _client(uri)
            file.parent.mkdir(parents=True, exist_ok=True)
            with FileLock(f"{file}.lock"):
                if not file.exists() or not file.stat().st_size:
                    sqlite.create(file, _client)
                sqlite.enable_wal(uri)
                client = _client(uri)
                sqlite.relocate(uri, file)
                return client
    except Exception as error:
        # MLflow raises whatever its database driver or HTTP client raised
        if found := faults.explain(error):
            raise found from error
        raise


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
        raise UserError(f"there is no {file}: `sentiment-rnn run evaluate` in the project's root creates it")
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
        file = database(uri)
        try:
            return client.create_experiment(name, sqlite.artifacts(file, name) if file else None, views.tags(name))
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was first
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise UserError(
            f"MLflow's experiment {name} was deleted; to restore it: "
            f"`MLFLOW_TRACKING_URI={shlex.quote(uri)} mlflow experiments restore --experiment-id {found.experiment_id}`"
        )
    return found.experiment_id
