"""The life of a run in a real store."""

import subprocess

import pytest

from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect

IDENTITY = {
    "dataset": "sample",
    "source": "generated",
    "content_hashes": {"train": "a" * 64, "test": "b" * 64, "unsupervised": "c" * 64},
}


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("store")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        yield connect()


def start(client, **changes) -> str:
    values = {"params": {"hidden_size": 6}, "tags": {"architecture": "bilstm"}, "identity": IDENTITY} | changes
    return runs.start(client, "sample", "bilstm", **values)


def status(client, run_id: str) -> str:
    return client.get_run(run_id).info.status


def test_a_run_shows_what_is_run_on_what(client):
    run = client.get_run(start(client))
    assert run.info.run_name == "bilstm"
    assert run.data.params == {"hidden_size": "6"}
    assert run.data.tags["architecture"] == "bilstm"
    assert run.data.tags["dataset"] == "sample"
    assert run.data.tags["data.content_hash"] == "a" * 64
    (used,) = run.inputs.dataset_inputs
    assert (used.dataset.name, used.dataset.digest) == ("sample", "a" * 16)
    assert "mlflow.parentRunId" not in run.data.tags


def test_a_child_names_its_parent(client):
    parent = start(client)
    assert client.get_run(start(client, parent=parent)).data.tags["mlflow.parentRunId"] == parent


def test_a_block_that_ends_well_leaves_the_run_finished(client):
    run_id = start(client)
    with runs.running(client, run_id):
        assert status(client, run_id) == "RUNNING"
    assert status(client, run_id) == "FINISHED"
    assert client.get_run(run_id).info.end_time is not None


@pytest.mark.parametrize(("error", "expected"), [(ValueError, "FAILED"), (KeyboardInterrupt, "KILLED")])
def test_an_exception_passes_through_and_is_told_by_the_status(client, error, expected):
    run_id = start(client)
    with pytest.raises(error), runs.running(client, run_id):
        raise error
    assert status(client, run_id) == expected


def test_a_run_that_failed_can_be_taken_up_again(client):
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
    assert runs.code_tags()["git.dirty"] == "false", "what the stages wrote is no change of the code"
    (tmp_path / "code.py").write_text("2")
    assert runs.code_tags()["git.dirty"] == "true"
