"""Versions of the registered model: find, describe, load, and the alias `champion`."""

import shutil
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

import mlflow
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException

from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_folder
from sentiment_rnn.tracking import descriptions
from sentiment_rnn.tracking.store import tracking_uri

CHAMPION = "champion"
DIGEST = "files.sha256"  # tag of a version: see `inference.registration.digest`


def find(client: MlflowClient, name: str, digest: str) -> ModelVersion | None:
    """The version of `name` with this digest, if there is one that can be loaded."""
    versions = client.search_model_versions(f"name = '{name}'")
    same = (version for version in versions if version.tags.get(DIGEST) == digest)
    return next((version for version in same if is_loadable(version)), None)


def is_loadable(version: ModelVersion) -> bool:
    """Whether a version's files are there, and not corrupt."""
    try:
        load(version.name, str(version.version))
    except UserError:
        return False
    return True


def describe_version(
    client: MlflowClient, name: str, version: str, *, tags: Mapping[str, str], description: str
) -> None:
    """Set the tags and the description of a new version, and those of the registered model."""
    for key, value in tags.items():
        client.set_model_version_tag(name, version, key, value)
    client.update_model_version(name, version, descriptions.version(description, tags))
    client.update_registered_model(name, descriptions.MODEL.format(name=name))
    for key, value in descriptions.MODEL_TAGS.items():
        client.set_registered_model_tag(name, key, value)


def update_model_card(client: MlflowClient, name: str, version: str) -> None:
    """Write a version's description again, from its tags of today."""
    known = client.get_model_version(name, version)
    summary = (known.description or "").split("\n\n")[0]
    client.update_model_version(name, version, descriptions.version(summary, known.tags))


def count_test_reading(client: MlflowClient, name: str, version: str, test_hash: str) -> int:
    """Record that a version is evaluated on a test split: the more versions are compared, the more test is overfitted.

    Returns:
        The number of versions of `name` that have been evaluated on this split, this one included. Each counts once.
    """
    key = f"test.read_by.{test_hash[:12]}"
    versions = client.get_registered_model(name).tags.get(key, "").split()
    if version not in versions:
        versions.append(version)
        client.set_registered_model_tag(name, key, " ".join(versions))
    return len(versions)


def load(name: str, version: str) -> mlflow.pyfunc.PyFuncModel:
    """Load a version.

    Raises:
        UserError: the store has no such version (a new database, for example), or its files are corrupt.
    """
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    try:
        # without a check of all requirements of the version, which takes as long as the rest
        return mlflow.pyfunc.load_model(f"models:/{name}/{version}", suppress_warnings=True)
    except Exception as error:  # of MLflow, of onnxruntime, or of tokenizers, which has no class of its own
        reason = getattr(error, "error_code", type(error).__name__)
        raise UserError(
            f"version {version} of {name} cannot be loaded from {tracking_uri()} ({reason}): "
            "`sentiment-rnn run evaluate` registers the trained model again"
        ) from error


def export(name: str, version: str, folder: Path) -> None:
    """Write a version's files for use without MLflow: the network, the tokenizer, the code, its requirements.

    Args:
        name: the registered model's.
        version: its number.
        folder: does not exist, or is empty.

    Raises:
        UserError: the folder has files, or the version cannot be loaded.
    """
    if folder.is_file() or (folder.exists() and any(folder.iterdir())):
        raise UserError(f"{folder} exists and is not empty: name another folder")
    load(name, version)
    with TemporaryDirectory() as downloaded, atomic_folder(folder.resolve()) as partial:
        logged = Path(mlflow.artifacts.download_artifacts(f"models:/{name}/{version}", dst_path=downloaded))
        for file in ("artifacts/model.onnx", "artifacts/tokenizer.json", "pyfunc_model.py"):
            shutil.copy(logged / file, partial)
        lines = (logged / "requirements.txt").read_text(encoding="utf-8").splitlines()
        needed = "".join(f"{line}\n" for line in lines if not line.startswith("mlflow"))
        (partial / "requirements.txt").write_text(needed, encoding="utf-8")


def champion(client: MlflowClient, name: str) -> ModelVersion | None:
    """The version with the alias `champion`, if there is one."""
    try:
        return client.get_model_version_by_alias(name, CHAMPION)
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return None
        raise  # an unreachable store does not mean that there is no champion


def require_champion(client: MlflowClient, name: str) -> ModelVersion:
    """The version with the alias `champion`.

    Raises:
        UserError: there is none.
    """
    if found := champion(client, name):
        return found
    raise UserError(f"{name} has no champion in {tracking_uri()}: `sentiment-rnn run evaluate` makes one")
