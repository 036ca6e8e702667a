"""The place of the store, its experiments, and one-line errors for a store that does not respond."""

import os
import re
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking.store import connect, connect_to_existing, experiment, tracking_uri


def test_the_store_is_a_database_in_the_project_unless_the_environment_names_another(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == "sqlite:///mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    assert tracking_uri() == "http://tracking.example:5000"


def test_an_experiment_that_dvc_runs_in_a_copy_uses_the_store_of_the_project(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert tracking_uri() == "sqlite:///mlruns/mlflow.db", "`dvc repro` and the bare stage have the same store"
    monkeypatch.chdir("copy")
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlruns/mlflow.db"


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


def test_the_command_that_restores_a_deleted_experiment_works(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    client = connect()
    deleted = experiment(client, "synthetic")
    client.delete_experiment(deleted)
    with pytest.raises(UserError, match=r"^MLflow's experiment synthetic was deleted; to restore it: `.*`$") as caught:
        experiment(client, "synthetic")
    (command,) = re.findall("`(.*)`", str(caught.value))
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    subprocess.run(["bash", "-c", command], env={"PATH": path}, check=True, capture_output=True)
    assert experiment(client, "synthetic") == deleted


def test_only_connect_creates_a_database_and_in_write_ahead_logging(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/new/mlflow.db?timeout=60")
    with pytest.raises(UserError, match=r"^there is no .*/new/mlflow.db: "):
        connect_to_existing()
    connect()
    with closing(sqlite3.connect(tmp_path / "new/mlflow.db")) as connection:
        assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
    assert connect_to_existing().search_experiments()


@pytest.mark.parametrize("uri", ["http://me:secret@127.0.0.1:1", "sqlite:///{folder}/broken.db", "{folder}/mlruns"])
def test_a_store_that_does_not_respond_is_one_line_that_names_it(uri, tmp_path, monkeypatch):
    (tmp_path / "broken.db").write_text("this is no database" * 100)
    uri = uri.format(folder=tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError) as caught:
        connect()
    assert f"MLflow's store {uri.replace('secret', '***')} does not respond" in str(caught.value)
    assert "\n" not in str(caught.value)
