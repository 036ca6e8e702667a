"""The registered model: new versions, and which of them is the champion."""

import hashlib
from collections.abc import Mapping
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import NamedTuple

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
    """The version of `name` that is this very model already, to the last weight and token, if one is."""
    digest = _digest(model_folder, tokenizer_file)
    versions = client.search_model_versions(f"name = '{name}'")
    return next((version for version in versions if version.tags.get("files.sha256") == digest), None)


def _digest(model_folder: Path, tokenizer_file: Path) -> str:
    files = [model_folder / DESCRIPTION, model_folder / WEIGHTS, tokenizer_file]
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
    """The callable model of a version.

    Raises:
        UserError: the store has no such version, say because the database is a fresh one.
    """
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    try:
        return mlflow.pyfunc.load_model(f"models:/{name}/{version}")
    except MlflowException as error:
        raise UserError(
            f"version {version} of {name} cannot be loaded from {tracking_uri()} ({error.error_code}): "
            "`dvc repro --single-item --force register` registers the trained model there "
            "(a recipe's: best/dvc.yaml:register)"
        ) from error


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version that carries the alias, if one does."""
    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise  # a store that fails to answer is not one without a champion


class Verdict(NamedTuple):
    """Whether a version takes the alias, and why."""

    promoted: bool
    reason: str


def judge(candidate: Mapping[str, str], reigning: Mapping[str, str] | None) -> Verdict:
    """Compare the tags `dataset`, `test.fingerprint`, `test.accuracy` of a candidate and of the reigning champion."""
    if reigning is None:
        return Verdict(True, "there was no champion")
    ours, theirs = candidate["dataset"], reigning.get("dataset", "something unknown")
    if ours != theirs:
        return Verdict(ours == "imdb", f"trained on {ours}, the champion on {theirs}")
    if "test.accuracy" not in reigning:
        return Verdict(True, "the champion was never evaluated")
    if candidate["test.fingerprint"] != reigning["test.fingerprint"]:
        return Verdict(True, "the champion was tested on another corpus, which is no longer the one in use")
    accuracy, best = float(candidate["test.accuracy"]), float(reigning["test.accuracy"])
    if accuracy >= best:
        return Verdict(True, f"test accuracy {accuracy:.4f}, the champion's {best:.4f}")
    return Verdict(False, f"test accuracy {accuracy:.4f} is below the champion's {best:.4f}")


def promote(client: MlflowClient, name: str, version: str, measured: Mapping[str, str]) -> Verdict:
    """Tag a version with what was measured, and move the alias to it if `judge` says so; the verdict becomes a tag."""
    for key, value in measured.items():
        client.set_model_version_tag(name, version, key, value)
    known = client.get_model_version(name, version)
    summary = (known.description or "").split("\n\n")[0]
    client.update_model_version(name, version, notes.version(summary, known.tags))
    reigning = champion(client, name)
    if reigning is not None and str(reigning.version) == version:
        verdict = Verdict(True, "it is the champion already")
    else:
        verdict = judge(measured, reigning.tags if reigning else None)
    client.set_model_version_tag(name, version, "promotion", verdict.reason)
    if verdict.promoted:
        client.set_registered_model_alias(name, CHAMPION, version)
    return verdict
