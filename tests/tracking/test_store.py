"""Connecting to the store, and its experiments."""

import shutil
import sqlite3
from contextlib import closing

import pytest
from cures import run_cure

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking.store import connect, connect_to_existing, experiment


def test_an_experiment_is_created_once_and_its_artifacts_stay_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    client = connect()
    first = experiment(client, "synthetic")
    assert experiment(connect(), "synthetic") == first
    assert experiment(client, "imdb") != first
    assert client.get_experiment(first).artifact_location.endswith(f"{tmp_path}/mlruns/artifacts/synthetic")
    assert "mlflow.sharedViewState.architectures" in client.get_experiment(first).tags
    client.set_experiment_tag(first, "mlflow.note.content", "mine")
    experiment(client, "synthetic")
    assert client.get_experiment(first).tags["mlflow.note.content"] == "mine", "a person's text is not overwritten"


@pytest.mark.parametrize("folder", ["project", "my films & more"])
def test_a_deleted_experiment_is_restored_by_the_printed_command(folder, tmp_path, monkeypatch, empty_store):
    """In a shell that does not have the variables of the command that failed; no other database appears."""
    project = tmp_path / folder
    shutil.copytree(empty_store, project / "mlruns")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{project}/mlruns/mlflow.db?timeout=60")
    client = connect()
    deleted = experiment(client, "synthetic")
    client.delete_experiment(deleted)
    with pytest.raises(UserError, match=r"^MLflow's experiment synthetic was deleted; to restore it: `.*`$") as caught:
        experiment(client, "synthetic")
    files = set(project.rglob("*"))
    run_cure(str(caught.value), "MLFLOW_TRACKING_URI={} mlflow experiments restore --experiment-id {}", project)
    assert experiment(client, "synthetic") == deleted
    assert set(project.rglob("*")) == files


def test_only_connect_creates_a_database_with_write_ahead_logging(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/new/mlflow.db?timeout=60")
    with pytest.raises(UserError, match=r"^there is no .*/new/mlflow.db: "):
        connect_to_existing()
    connect()
    with closing(sqlite3.connect(tmp_path / "new/mlflow.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connect_to_existing().search_experiments()
