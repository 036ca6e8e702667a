"""Which version a version is held against, and what that one said of the same test reviews."""

import tempfile
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.report import predictions
from sentiment_rnn.tracking import registry, runs

FOLDER = "evaluation"  # of a run's artifacts


def previous(client: MlflowClient, name: str, version: str, test: Mapping[str, str]) -> ModelVersion | None:
    """The champion before this version: the one that reigns; where that is this one, the best of those before it.

    Args:
        client: of the registry.
        name: the registered model's.
        version: the version that is evaluated.
        test: the tags `dataset` and `test.fingerprint` that it must have been evaluated with.

    Returns:
        None where there is none: the first version, or one after another corpus's.
    """
    reigning = registry.champion(client, name)
    if reigning is not None and str(reigning.version) != version:
        candidates = [reigning]
    else:
        candidates = [
            one for one in client.search_model_versions(f"name = '{name}'") if int(one.version) < int(version)
        ]
    comparable = [one for one in candidates if "test.accuracy" in one.tags and test.items() <= one.tags.items()]
    return max(comparable, key=lambda one: (float(one.tags["test.accuracy"]), int(one.version)), default=None)


def keep(client: MlflowClient, run_id: str, version: str, positive: np.ndarray, test: Split) -> None:
    """Log what a version said of the test reviews to its run; several versions may have the same run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, _file(version))
        predictions.save(positive, test, path)
        client.log_artifact(run_id, str(path), FOLDER)


def said(client: MlflowClient, version: ModelVersion, test: Split) -> np.ndarray:
    """What a version said of the test reviews `(N,)`: as its run has it, else scored now, and kept there."""
    number, run_id = str(version.version), version.run_id
    kept = runs.exists(client, run_id)
    path = f"{FOLDER}/{_file(number)}"
    if kept and path in {file.path for file in client.list_artifacts(run_id, FOLDER)}:
        with tempfile.TemporaryDirectory() as folder:
            found = predictions.load(Path(client.download_artifacts(run_id, path, folder)), test)
        if found is not None:
            return found.positive
    positive = predictions.ask(registry.load(version.name, number), test.texts, f"{version.name} version {number}")
    if kept:
        keep(client, run_id, number, positive, test)
    return positive


def _file(version: str) -> str:
    return f"predictions-version-{version}.parquet"
