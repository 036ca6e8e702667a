"""The registered model's versions: made, found again, loaded, and which of them is the champion."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from types import ModuleType

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import descriptions
from sentiment_rnn.tracking.store import tracking_uri

CHAMPION = "champion"
DIGEST = "files.sha256"  # tag of a version: see `inference.registration.ModelFiles`
PACKAGE = "sentiment_rnn"


def find(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The version of `name` whose files have this digest, if there is one."""
    versions = client.search_model_versions(f"name = '{name}'")
    return next((version for version in versions if version.tags.get(DIGEST) == digest), None)


def describe_version(
    client: MlflowClient, name: str, version: str, *, tags: Mapping[str, str], description: str
) -> None:
    """Give a new version its tags and its description, and the registered model its own."""
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value)
    client.update_model_version(name, version, descriptions.version(description, tags))
    client.update_registered_model(name, descriptions.MODEL.format(name=name))
    for key, value in descriptions.MODEL_TAGS.items():
        client.set_registered_model_tag(name, key, value)


def count_test_reading(client: MlflowClient, name: str, test_hash: str) -> int:
    """Count one more evaluation of a registered version on a test split; the number so far, this one included."""
    key = f"test.readings.{test_hash[:12]}"
    readings = int(client.get_registered_model(name).tags.get(key, 0)) + 1
    client.set_registered_model_tag(name, key, str(readings))
    return readings


def load(name: str, version: str) -> mlflow.pyfunc.PyFuncModel:
    """The callable model of a version, run by the code that it was registered with.

    Raises:
        UserError: the store has no such version, say because the database is a fresh one; or it is a broken one.
    """
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    try:
        with _own_code():
            return mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    except MlflowException as error:
        raise UserError(
            f"version {version} of {name} cannot be loaded from {tracking_uri()} ({error.error_code}): "
            "`dvc repro --single-item --force register` registers the trained model there"
        ) from error
    except Exception as error:
        if type(error).__name__ != UserError.__name__:
            raise
        raise UserError(str(error)) from error  # raised by the version's own code, whose class is another than ours


@contextmanager
def _own_code() -> Iterator[None]:
    """What this process has of the package steps aside: a version brings the code that its weights were made for.

    Python would give it the modules that are imported already. An old version, say one that was rolled back to, would
    then run on code that it does not know, and would not be what MLflow's server makes of it in a process of its own.
    """

    def package() -> dict[str, ModuleType]:
        return {key: module for key, module in sys.modules.items() if key.split(".")[0] == PACKAGE}

    ours, path = package(), list(sys.path)
    for key in ours:
        del sys.modules[key]
    try:
        yield
    finally:
        for key in package():
            del sys.modules[key]
        sys.modules.update(ours)
        sys.path[:] = path  # MLflow puts the version's folder first


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version that carries the alias, if one does."""
    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise  # a store that fails to answer is not one without a champion


def require_champion(client: MlflowClient, name: str) -> ModelVersion:
    """The champion.

    Raises:
        UserError: there is none.
    """
    if found := champion(client, name):
        return found
    raise UserError(f"{name} has no champion in {tracking_uri()}: `make run` trains, registers and promotes one")
