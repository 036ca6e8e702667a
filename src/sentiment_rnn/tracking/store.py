"""Where MLflow keeps its runs: `mlruns/mlflow.db` and `mlruns/artifacts`, or what MLFLOW_TRACKING_URI names."""

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import views

HOME = Path("mlruns")

logging.getLogger("mlflow.store.db").setLevel(logging.WARNING)  # each migration of a new database is a line otherwise


def home() -> Path:
    """The project's `mlruns`; in the copy where DVC runs a queued experiment, that of the project itself."""
    project = os.environ.get("DVC_ROOT")
    return Path(project, HOME) if project and Path(project).resolve() != Path.cwd() else HOME


def tracking_uri() -> str:
    """The environment's MLFLOW_TRACKING_URI, else a database in the project (MLflow refuses a plain file store)."""
    return os.environ.get("MLFLOW_TRACKING_URI") or f"sqlite:///{home()}/mlflow.db"


def connect() -> MlflowClient:
    """A client of the tracking store and of the registry, which is the same store.

    Raises:
        UserError: the store does not answer.
    """
    uri = tracking_uri()
    home().mkdir(exist_ok=True)
    try:
        with _few_retries():
            client = MlflowClient(tracking_uri=uri, registry_uri=uri)
            client.search_experiments(max_results=1)
    except Exception as error:
        # MLflow passes on whatever its database driver or HTTP client raised
        raise UserError(
            f"MLflow's store {uri} does not answer ({type(error).__name__}): start it, or unset MLFLOW_TRACKING_URI"
        ) from error
    return client


def connect_to_existing() -> MlflowClient:
    """As `connect`, for what only reads: a database that is not there yet is not made.

    Raises:
        UserError: there is none, or the store does not answer.
    """
    uri = tracking_uri()
    if uri.startswith("sqlite:///") and not (file := Path(uri.removeprefix("sqlite:///"))).exists():
        raise UserError(f"there is no {file}: `make run` makes it, and a champion in it; run from the project's root")
    return connect()


@contextmanager
def _few_retries() -> Iterator[None]:
    """A server that is down when work begins is down: MLflow's own 7 retries take minutes to say so.

    Later they are right: one that goes away for a while is waited for.
    """
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
    """The id of the experiment `name`, made where there is none; its page says what it is and has a view of it."""
    found = client.get_experiment_by_name(name)
    told = views.tags(name)
    if found is None:
        # a server decides itself where artifacts go; the embedded database would put them beside each other in ./mlruns
        local = tracking_uri().startswith("sqlite:")
        try:
            return client.create_experiment(name, str(home() / "artifacts" / name) if local else None, told)
        except MlflowException:
            found = client.get_experiment_by_name(name)  # another process was first
            if found is None:
                raise
    if found.lifecycle_stage == "deleted":
        raise UserError(f"MLflow's experiment {name} was deleted: restore it with `mlflow experiments restore`")
    for key in told.keys() - found.tags.keys():  # one that an earlier release made; what a person changed stays
        client.set_experiment_tag(found.experiment_id, key, told[key])
    return found.experiment_id
