"""The store's URI: one spelling wherever the project is, the forms that are refused, passwords that leave it."""

import os
import subprocess
import sys

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking.uri import redact, tracking_uri

LOGIN = ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "PGPASSWORD")


@pytest.fixture
def resolved(tmp_path, monkeypatch):
    """The URI of a value of MLFLOW_TRACKING_URI, in a project's folder."""
    monkeypatch.chdir(tmp_path)
    for name in LOGIN:
        monkeypatch.setenv(name, "")

    def resolve(uri: str | None) -> str:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", (uri or "").format(folder=tmp_path))
        return tracking_uri()

    return resolve


@pytest.mark.parametrize(
    ("uri", "expected"),
    [
        (None, "sqlite:///mlruns/mlflow.db"),
        ("sqlite:///mlruns/mlflow.db", "sqlite:///mlruns/mlflow.db"),
        ("sqlite:////srv//mlflow.db", "sqlite:////srv/mlflow.db"),
        ("sqlite+pysqlite:///./x/../mlruns/mlflow.db?timeout=60", "sqlite:///mlruns/mlflow.db?timeout=60"),
        ("sqlite:////elsewhere/a b/ü #.db", "sqlite:////elsewhere/a b/ü #.db"),
        ("http://tracking.example:5000", "http://tracking.example:5000"),
        ("postgresql://me@db.example/mlflow", "postgresql://me@db.example/mlflow"),
    ],
)
def test_each_store_has_one_uri(uri, expected, resolved):
    assert resolved(uri) == expected


@pytest.mark.parametrize("uri", ["sqlite:///mlruns/mlflow.db", None])
def test_an_experiment_that_dvc_runs_in_a_copy_uses_the_store_of_the_project(uri, resolved, tmp_path, monkeypatch):
    (tmp_path / "copy").mkdir()
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert resolved(uri) == "sqlite:///mlruns/mlflow.db", "`dvc repro` and the bare stage have the same store"
    monkeypatch.chdir("copy")
    assert resolved(uri) == f"sqlite:///{tmp_path}/mlruns/mlflow.db"


@pytest.mark.parametrize(
    "uri",
    [
        "sqlite://", "sqlite:///:memory:", "sqlite://mlruns/mlflow.db", "sqlite:mlruns/mlflow.db",
        "sqlite:///file:mlruns/mlflow.db?uri=true", "{folder}/mlruns", "file:///{folder}/mlruns", "databricks",
        "mysql://me:secret@db.example/mlflow",
    ],
)  # fmt: skip
def test_another_form_is_refused_in_one_line_that_names_the_supported_ones(uri, resolved, tmp_path):
    with pytest.raises(UserError, match=r"^MLFLOW_TRACKING_URI=.* is not supported: a file is sqlite:///") as caught:
        resolved(uri)
    assert "\n" not in str(caught.value)
    assert "secret" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("uri", "public", "login"),
    [
        ("http://me:se%40cret@host:5000/x", "http://host:5000/x", ("me", "se@cret", "")),
        ("https://:secret@host", "https://host", ("", "secret", "")),
        ("postgresql://me:se%40cret@db/mlflow?sslmode=require", "postgresql://me@db/mlflow?sslmode=require",
         ("", "", "se@cret")),
        ("postgresql://me@db/mlflow?password=secret", "postgresql://me@db/mlflow", ("", "", "secret")),
    ],
)  # fmt: skip
def test_a_password_moves_to_the_variable_that_the_library_reads(uri, public, login, resolved):
    assert resolved(uri) == public
    assert os.environ["MLFLOW_TRACKING_URI"] == public, "of the processes that this one starts, too"
    assert tuple(os.environ[name] for name in LOGIN) == login
    assert tracking_uri() == public
    assert tuple(os.environ[name] for name in LOGIN) == login


def test_a_login_is_masked_in_any_text():
    text = "connection to http://me:a@b/c@host:50/x and postgresql://h/d?password=x&sslmode=y failed"
    assert redact(text) == "connection to http://***@host:50/x and postgresql://h/d?password=***&sslmode=y failed"


RUN = """
from pathlib import Path
import mlflow
from sentiment_rnn.tracking.stage_run import stage_run
from sentiment_rnn.tracking.store import tracking_uri

identity = {"dataset": "synthetic", "content_hashes": {"train": "0" * 64}}
with stage_run(Path("work/run.json"), "a run", params={"a": 1}, tags={}, identity=identity) as (_, run_id):
    mlflow.set_tracking_uri(tracking_uri())
    with mlflow.start_run(run_id=run_id):
        pass
    raise SystemExit  # the record of the run remains
"""


def test_a_password_is_neither_printed_nor_written(servers, tmp_path):
    uri = servers.environment["MLFLOW_TRACKING_URI"].replace("//", "//me:se%40cret@")
    environment = os.environ | {"MLFLOW_TRACKING_URI": uri}
    done = subprocess.run([sys.executable, "-c", RUN], cwd=tmp_path, env=environment, capture_output=True, text=True)
    assert "View run a run at: http://127.0.0.1:" in done.stdout
    assert '"run_id"' in (tmp_path / "work/run.json").read_text()
    written = "".join(path.read_text() for path in tmp_path.rglob("*") if path.is_file())
    assert "cret" not in done.stdout + done.stderr + written
