"""The registered model's versions: made, found again, loaded, and which of them is the champion."""

import hashlib
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version as installed_version
from pathlib import Path
from types import ModuleType

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.saved import DESCRIPTION, WEIGHTS
from sentiment_rnn.tracking import notes
from sentiment_rnn.tracking.store import tracking_uri

CHAMPION = "champion"
PACKAGE = Path(__file__).parents[1]
REQUIREMENTS = ("mlflow", "numpy", "safetensors", "tokenizers", "torch")


def find(client: MlflowClient, name: str, *, model_folder: Path, tokenizer_file: Path) -> ModelVersion | None:
    """The version of `name` that is this very model already, if one is: weights, vocabulary, the code that answers."""
    digest = _digest(model_folder, tokenizer_file)
    versions = client.search_model_versions(f"name = '{name}'")
    return next((version for version in versions if version.tags.get("files.sha256") == digest), None)


def _digest(model_folder: Path, tokenizer_file: Path) -> str:
    code = [file for room in ("inference", "models") for file in sorted((PACKAGE / room).rglob("*.py"))]
    files = [model_folder / DESCRIPTION, model_folder / WEIGHTS, tokenizer_file, *code]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def register(
    run_id: str,
    name: str,
    *,
    model_folder: Path,
    tokenizer_file: Path,
    tags: Mapping[str, str],
    description: str,
) -> str:
    """Log a model that takes raw text to a run, and make it the next version of the registered model `name`.

    It is logged from code, with safetensors and JSON beside it: no pickle is written. A model that `find` finds stays
    the version that it is.

    Returns:
        The version.
    """
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    client = MlflowClient(tracking_uri(), tracking_uri())
    if known := find(client, name, model_folder=model_folder, tokenizer_file=tokenizer_file):
        return str(known.version)
    ended = client.get_run(run_id).info.end_time
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(PACKAGE / "inference" / "served.py"),
            artifacts={"model": str(model_folder), "tokenizer": str(tokenizer_file)},
            code_paths=[str(PACKAGE)],
            # a local build's tag (2.13.0+cpu) names no release
            pip_requirements=[f"{package}=={installed_version(package).split('+')[0]}" for package in REQUIREMENTS],
            registered_model_name=name,
        )
    number = str(logged.registered_model_version)
    if ended:  # the run's duration is its training's
        client.set_terminated(run_id, end_time=ended)
    for key, value in {**tags, "files.sha256": _digest(model_folder, tokenizer_file)}.items():
        client.set_model_version_tag(name, number, key, value)
    client.update_model_version(name, number, notes.version(description, tags))
    client.update_registered_model(name, notes.MODEL.format(name=name))
    for key, value in notes.MODEL_TAGS.items():
        client.set_registered_model_tag(name, key, value)
    return number


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
            "`dvc repro --single-item --force register` registers the trained model there "
            "(a recipe's: best/dvc.yaml:register)"
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
        return {key: module for key, module in sys.modules.items() if key.split(".")[0] == PACKAGE.name}

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


def reigning(client: MlflowClient, name: str) -> ModelVersion:
    """The champion.

    Raises:
        UserError: there is none.
    """
    if found := champion(client, name):
        return found
    raise UserError(f"{name} has no champion in {tracking_uri()}: `make run` trains, registers and promotes one")
