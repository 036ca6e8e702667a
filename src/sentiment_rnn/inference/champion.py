"""The previous champion, which a version is compared with, and the predictions of versions on test."""

import tempfile
from pathlib import Path

import numpy as np
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion

from sentiment_rnn.data import predictions
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.promotion import previous_champions

FOLDER = "evaluation"  # of a run's artifacts


def previous(client: MlflowClient, name: str, version: str, test_hash: str) -> ModelVersion | None:
    """The champion, or the one before it if the version is the champion itself.

    Args:
        client: of the registry.
        name: the registered model's.
        version: the version that is evaluated.
        test_hash: content hash of the test split.

    Returns:
        None if there is none, or if it was not evaluated on this test split.
    """
    found = registry.champion(client, name)
    if found is not None and str(found.version) == version:
        earlier = [number for number in previous_champions(client, name) if number != version]
        found = client.get_model_version(name, earlier[-1]) if earlier else None
    if found is None or found.tags.get("test.content_hash") != test_hash:
        return None
    return found


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
