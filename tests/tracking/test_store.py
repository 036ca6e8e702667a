"""Where runs are kept: the embedded database, and one line where the store is dead."""

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking.store import connect, experiment, tracking_uri


def test_the_store_is_a_database_in_the_project_unless_the_environment_names_another(monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    assert tracking_uri() == "sqlite:///mlruns/mlflow.db"
    monkeypatch.setenv("MLFLOW_TRACKING_URI", "http://tracking.example:5000")
    assert tracking_uri() == "http://tracking.example:5000"


def test_an_experiment_that_dvc_runs_in_a_copy_of_the_project_is_kept_in_the_project(tmp_path, monkeypatch):
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    (tmp_path / "copy").mkdir()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert tracking_uri() == "sqlite:///mlruns/mlflow.db", "`dvc repro` and the bare stage have the same store"
    monkeypatch.chdir("copy")
    assert tracking_uri() == f"sqlite:///{tmp_path}/mlruns/mlflow.db"


def test_an_experiment_is_made_once_and_its_artifacts_stay_in_the_project(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    client = connect()
    assert (tmp_path / "mlruns/mlflow.db").is_file()
    first = experiment(client, "sample")
    assert experiment(connect(), "sample") == first
    assert experiment(client, "imdb") != first
    assert client.get_experiment(first).artifact_location.endswith(f"{tmp_path}/mlruns/artifacts/sample")
    assert "mlflow.sharedViewState.architectures" in client.get_experiment(first).tags, "its page has a view of its own"
    client.set_experiment_tag(first, "mlflow.note.content", "mine")
    client.delete_experiment_tag(first, "mlflow.experimentKind")
    experiment(client, "sample")
    assert client.get_experiment(first).tags["mlflow.note.content"] == "mine", "what a person wrote stays"
    assert "mlflow.experimentKind" in client.get_experiment(first).tags
    client.delete_experiment(first)
    with pytest.raises(UserError, match=r"^MLflow's experiment sample was deleted: .*restore"):
        experiment(client, "sample")


@pytest.mark.parametrize("uri", ["http://127.0.0.1:1", "sqlite:///{folder}/broken.db"])
def test_a_dead_store_is_one_line_that_names_it(uri, tmp_path, monkeypatch):
    (tmp_path / "broken.db").write_text("this is no database" * 100)
    uri = uri.format(folder=tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    with pytest.raises(UserError) as raised:
        connect()
    assert f"MLflow's store {uri} does not answer" in str(raised.value)
    assert "\n" not in str(raised.value)
