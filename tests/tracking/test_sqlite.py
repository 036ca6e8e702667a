"""A store of one file: killed while it is created, moved, copied, locked."""

import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest
from conftest import NAME, running_in
from mlflow import MlflowClient
from project import copy_project
from sqlalchemy import Engine, create_engine, text

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import registry, sqlite
from sentiment_rnn.tracking.store import connect

CONNECT = "from sentiment_rnn.tracking.store import connect; connect()"
LOCK = """
import sqlite3, sys, time
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN EXCLUSIVE")
print("locked", flush=True)
time.sleep(float(sys.argv[2]))
"""


def test_a_killed_creation_leaves_nothing_that_the_next_connection_uses(tmp_path, monkeypatch):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    process = subprocess.Popen([sys.executable, "-c", CONNECT])
    partial, deadline = tmp_path / "mlruns/mlflow.db.partial", time.monotonic() + 120
    while not (partial.exists() and count_tables(partial) > 20):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.002)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert not (tmp_path / "mlruns/mlflow.db").exists()
    assert partial.exists()
    connect().create_experiment("e")
    assert not list(tmp_path.glob("mlruns/*.partial*"))


def count_tables(file: Path) -> int:
    with closing(sqlite3.connect(f"file:{file}?mode=ro", uri=True)) as connection:
        try:
            return int(connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0])
        except sqlite3.OperationalError:  # it is being written
            return 0


def test_an_empty_file_becomes_a_database(tmp_path, monkeypatch, empty_store):
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    monkeypatch.setattr(sqlite, "create", lambda file, _: shutil.copy(empty_store / "mlflow.db", file))
    (tmp_path / "mlflow.db").touch()
    assert connect().search_experiments()


def locations(folder: Path) -> set[str]:
    """The locations of artifacts in a project's database, apart from that of MLflow's own, unused experiment."""
    with closing(sqlite3.connect(folder / "mlruns/mlflow.db")) as connection:
        found = [
            row for table, column in sqlite.LOCATIONS for row in connection.execute(f"SELECT {column} FROM {table}")
        ]
    return {location for (location,) in found if location and "/artifacts/" in location}


def predict(folder: Path) -> float:
    """The champion's prediction in a project, after a run has logged an artifact."""
    with running_in(folder):
        client = connect()
        experiment = client.get_experiment_by_name("synthetic")
        run_id = client.create_run(experiment.experiment_id).info.run_id
        client.log_text(run_id, "text", "note.txt")
        assert list(folder.glob(f"mlruns/artifacts/synthetic/{run_id}/artifacts/note.txt"))
        client.delete_run(run_id)
        version = str(registry.require_champion(client, NAME).version)
        return float(registry.load(NAME, version).predict(["a good film"])[0]["probability"])


@pytest.mark.parametrize("plain", [False, True], ids=["uri", "path"])
@pytest.mark.parametrize("name", ["other", "my films #2, ü"])
def test_a_moved_or_copied_project_has_its_own_artifacts(name, plain, champion, tmp_path):
    original = tmp_path / "original"
    copy_project(champion, original)
    expected = predict(original)
    if plain:  # as MLflow itself records them
        with closing(sqlite3.connect(original / "mlruns/mlflow.db")) as connection, connection:
            for table, column in sqlite.LOCATIONS:
                connection.execute(f"UPDATE {table} SET {column} = replace({column}, 'file://', '')")
    before = locations(original)
    assert all(location.removeprefix("file://").startswith(f"{original}/mlruns/") for location in before)
    copy, moved = tmp_path / name, tmp_path / f"{name} moved"
    shutil.copytree(original, copy, symlinks=True)
    artifacts = {path: path.read_bytes() for path in original.rglob("artifacts/**/*") if path.is_file()}
    assert predict(copy) == expected
    assert locations(original) == before
    assert {path: path.read_bytes() for path in original.rglob("artifacts/**/*") if path.is_file()} == artifacts
    assert all(location.startswith(f"{(copy / 'mlruns').as_uri()}/") for location in locations(copy))
    shutil.rmtree(original)
    copy.rename(moved)
    assert predict(moved) == expected
    assert not copy.exists()
    assert not original.exists()


def test_experiments_whose_artifacts_are_not_beside_the_database_keep_their_place(client, tmp_path):
    for name, location in (
        ("a", "/srv/artifacts/3"),
        ("b", "s3://bucket/artifacts/c"),
        ("c", "mlflow-artifacts:/artifacts/4"),
    ):
        client.create_experiment(name, location)
    before = locations(tmp_path)
    connect()
    assert locations(tmp_path) == before


@pytest.fixture
def lock(client: MlflowClient, tmp_path: Path) -> Iterator[Callable[[float], None]]:
    """Let another program lock the database for some seconds."""
    programs = []

    def start(seconds: float) -> None:
        command = [sys.executable, "-c", LOCK, str(tmp_path / "mlruns/mlflow.db"), str(seconds)]
        programs.append(subprocess.Popen(command, stdout=subprocess.PIPE, text=True))
        assert programs[-1].stdout.readline() == "locked\n"

    yield start
    for program in programs:
        program.kill()
        program.communicate()


@pytest.fixture
def impatient(client: MlflowClient, tmp_path: Path) -> Engine:
    """The database by an engine that waits for 0.1 s: MLflow's waits for 20."""
    return create_engine(f"sqlite:///{tmp_path}/mlruns/mlflow.db", connect_args={"timeout": 0.1})


def test_a_locked_database_is_waited_for_and_one_line_says_so(lock, impatient, tmp_path, capfd):
    lock(2)
    start = time.monotonic()
    with impatient.begin() as connection:
        connection.execute(text("INSERT INTO experiment_tags VALUES (:key, 'a', 0)"), {"key": "one"})
        connection.execute(
            text("INSERT INTO experiment_tags VALUES (:key, 'a', 0)"), [{"key": "two"}, {"key": "three"}]
        )
    assert time.monotonic() - start > 1
    assert capfd.readouterr().err == f"{tmp_path}/mlruns/mlflow.db is locked by another program: waiting\n"
    with impatient.connect() as connection:
        assert connection.scalar(text("SELECT count(*) FROM experiment_tags WHERE value = 'a'")) == 3


def test_a_database_that_stays_locked_is_one_line(lock, impatient, tmp_path, monkeypatch):
    monkeypatch.setattr(sqlite, "LOCKED_SECONDS", 0.5)
    lock(60)
    message = r"mlflow\.db has been locked .* the same command resumes$"
    with pytest.raises(UserError, match=message) as caught, impatient.begin() as connection:
        connection.execute(text("DELETE FROM experiment_tags"))
    assert "\n" not in str(caught.value)


@pytest.mark.soak
def test_mlflow_waits_for_a_database_that_is_locked_longer_than_mlflow_waits(lock, client, capfd):
    run_id = client.create_run("0").info.run_id
    lock(25)
    client.log_metric(run_id, "loss", 0.5)
    assert client.get_run(run_id).data.metrics == {"loss": 0.5}
    assert capfd.readouterr().err.endswith("mlflow.db is locked by another program: waiting\n")
