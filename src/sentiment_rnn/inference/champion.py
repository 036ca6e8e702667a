"""The previous champion that a version is compared with, and its predictions on the same test reviews."""

import tempfile
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sentiment_rnn.data import predictions
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.tracking import registry, runs

FOLDER = "evaluation"  # of a run's artifacts


def previous(client: MlflowClient, name: str, version: str, test_hash: str) -> ModelVersion | None:
    """The champion; where that is this version, the best of the versions before it.

    Args:
        client: of the registry.
        name: the registered model's.
        version: is evaluated.
        test_hash: content hash of the test split, on which the other must have been evaluated.

    Returns:
        None if there is none: the first version, or one after another test split.
    """
    champion = registry.champion(client, name)
    if champion is not None and str(champion.version) != version:
        candidates = [champion]
    else:
        versions = client.search_model_versions(f"name = '{name}'")
        candidates = [other for other in versions if int(other.version) < int(version)]
    comparable = [
        other
        for other in candidates
        if "test.accuracy" in other.tags and other.tags.get("test.content_hash") == test_hash
    ]
    return max(comparable, key=lambda other: (float(other.tags["test.accuracy"]), int(other.version)), default=None)


def save_predictions(client: MlflowClient, run_id: str, version: str, positive: np.ndarray, test: Split) -> None:
    """Log a version's predictions on test to its run; several versions may have the same run."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, _file(version))
        predictions.save(positive, test, path)
        client.log_artifact(run_id, str(path), FOLDER)


def predictions_of(client: MlflowClient, version: ModelVersion, test: Split) -> np.ndarray:
    """A version's probabilities of "positive" on test `(N,)`: from its run's artifacts, else predicted and logged."""
    number, run_id = str(version.version), version.run_id
    has_run = runs.exists(client, run_id)
    path = f"{FOLDER}/{_file(number)}"
    if has_run and path in {file.path for file in client.list_artifacts(run_id, FOLDER)}:
        with tempfile.TemporaryDirectory() as folder:
            found = predictions.load(Path(client.download_artifacts(run_id, path, folder)), test)
        if found is not None:
            return found.positive
    model = registry.load(version.name, number)
    positive = predictions.predict(model, test.texts, f"{version.name} version {number}")
    if has_run:
        save_predictions(client, run_id, number, positive, test)
    return positive


def _file(version: str) -> str:
    return f"predictions-version-{version}.parquet"
