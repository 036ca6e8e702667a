"""Runs in a real store, one process and several."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from mlflow import MlflowClient

from sentiment_rnn.tracking import runs

IDENTITY = {
    "dataset": "synthetic",
    "source": "generated",
    "content_hashes": {"train": "a" * 64, "test": "b" * 64, "unsupervised": "c" * 64},
}


def start(client, **changes) -> str:
    values = {"params": {"hidden_size": 6}, "tags": {"architecture": "bilstm"}, "identity": IDENTITY} | changes
    return runs.start(client, "synthetic", "bilstm", **values)


def status(client, run_id: str) -> str:
    return client.get_run(run_id).info.status


def test_a_run_has_its_params_and_its_data_set(client):
    run = client.get_run(start(client))
    assert run.info.run_name == "bilstm"
    assert run.data.params == {"hidden_size": "6"}
    assert run.data.tags["architecture"] == "bilstm"
    assert run.data.tags["dataset"] == "synthetic"
    assert run.data.tags["data.content_hash"] == "a" * 64
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("synthetic", "a" * 16)
    assert "mlflow.parentRunId" not in run.data.tags


def test_a_child_names_its_parent(client):
    parent = start(client)
    assert client.get_run(start(client, parent=parent)).data.tags["mlflow.parentRunId"] == parent


def test_a_run_is_finished_after_its_block(client):
    run_id = start(client)
    with runs.running(client, run_id):
        assert status(client, run_id) == "RUNNING"
    assert status(client, run_id) == "FINISHED"
    assert client.get_run(run_id).info.end_time is not None


@pytest.mark.parametrize(("error", "expected"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_an_exception_is_raised_and_sets_the_status(client, error, expected):
    run_id = start(client)
    with pytest.raises(error), runs.running(client, run_id):
        raise error
    assert status(client, run_id) == expected


def test_a_failed_run_can_be_resumed(client):
    run_id = start(client)
    with pytest.raises(ValueError, match="first"), runs.running(client, run_id):
        raise ValueError("first")
    with runs.running(client, run_id):
        assert status(client, run_id) == "RUNNING"
    assert status(client, run_id) == "FINISHED"


def test_a_run_exists_until_it_is_deleted(client):
    run_id = start(client)
    assert runs.exists(client, run_id)
    client.delete_run(run_id)
    assert not runs.exists(client, run_id)
    assert not runs.exists(client, "0" * 32)


def test_code_is_dirty_when_anything_but_results_differs_from_the_commit(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path.parent))
    assert runs.code_tags() == {"git.dirty": "unknown"}

    def git(*arguments: str) -> str:
        identity = ["-c", "user.name=t", "-c", "user.email=t@example.org"]
        return subprocess.run(["git", *identity, *arguments], capture_output=True, text=True, check=True).stdout.strip()

    (tmp_path / "code.py").write_text("1")
    git("init", "--quiet")
    git("add", ".")
    git("commit", "--quiet", "-m", "first")
    assert runs.code_tags() == {"mlflow.source.git.commit": git("rev-parse", "HEAD"), "git.dirty": "false"}
    for folder in ("reports", "searches"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "bilstm.json").write_text("{}")
    (tmp_path / "dvc.lock").write_text("")
    assert runs.code_tags()["git.dirty"] == "false", "the output of stages is not a change of the code"
    (tmp_path / "code.py").write_text("2")
    assert runs.code_tags()["git.dirty"] == "true"


def test_four_processes_log_200_short_runs_to_a_new_sqlite_store(tmp_path):
    environment = os.environ | {"MLFLOW_TRACKING_URI": f"sqlite:///{tmp_path}/new/mlflow.db"}
    command = [sys.executable, Path(__file__).with_name("many_workers.py")]
    done = subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-3000:]
    client = MlflowClient(environment["MLFLOW_TRACKING_URI"])
    (experiment,) = client.search_experiments(filter_string="name = 'synthetic-search'")
    found = client.search_runs([experiment.experiment_id], max_results=1000)
    assert len({run.data.tags["trial"] for run in found}) == len(found) == 200
    assert {run.info.status for run in found} == {"FINISHED"}
