"""Each kind of fault of the store, made for real: one line with its cause, and the cure of its kind."""

import http.server
import os
import re
import shutil
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from alembic.script import ScriptDirectory
from cures import run_cure
from mlflow.exceptions import MlflowException
from mlflow.store.tracking.dbmodels.initial_models import Base
from sqlalchemy import create_engine

from sentiment_rnn.errors import UserError
from sentiment_rnn.tracking import store_fault
from sentiment_rnn.tracking.faults import MIGRATIONS, explain
from sentiment_rnn.tracking.store import connect


@pytest.fixture
def fault(tmp_path, monkeypatch):
    """The message of a store that cannot be used, as a stage or a command prints it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_HTTP_REQUEST_MAX_RETRIES", "0")
    for name in ("MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD", "PGPASSWORD"):
        monkeypatch.setenv(name, "")

    def message(uri: str) -> str:
        monkeypatch.setenv("MLFLOW_TRACKING_URI", uri)
        with pytest.raises(UserError) as caught:
            connect()
        assert str(caught.value).startswith("MLflow's store ")
        assert "\n" not in str(caught.value)
        assert "secret" not in str(caught.value)
        return str(caught.value)

    return message


@pytest.fixture
def file(tmp_path, empty_store) -> Path:
    """A database at `{tmp_path}/mlruns/mlflow.db`."""
    shutil.copytree(empty_store, tmp_path / "mlruns")
    return tmp_path / "mlruns/mlflow.db"


def test_an_older_schema_is_upgraded_by_the_printed_command(tmp_path, monkeypatch):
    engine = create_engine(f"sqlite:///{tmp_path}/mlflow.db")
    Base.metadata.create_all(engine)
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS.parent))
    head, previous, *_ = (each.revision for each in ScriptDirectory.from_config(config).walk_revisions())
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, previous)
    engine.dispose()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlflow.db")
    # MLflow 3.17 itself upgrades a database that lacks tables of the present schema, and all of its earlier ones do
    error = MlflowException(
        f"Detected out-of-date database schema (found version {previous}, but expected {head}). Take"
    )
    run_cure(str(explain(error)), "mlflow db upgrade {}", tmp_path)
    assert connect().search_experiments()


def test_a_newer_schema_needs_a_newer_mlflow(fault, file):
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = 'ffffffffffff'")
    message = fault(f"sqlite:///{file}")
    assert message.endswith(": install it, or name another store in MLFLOW_TRACKING_URI")
    assert "written by a newer MLflow than 3." in message


def cut_off(file: Path) -> None:
    os.truncate(file, file.stat().st_size // 2)


def overwrite(file: Path) -> None:
    file.write_text("this is no database" * 100)


def drop_table(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DROP TABLE experiments")


@pytest.mark.parametrize("damage", [cut_off, overwrite, drop_table])
def test_a_corrupt_database_is_restored_or_put_aside(damage, fault, file):
    damage(file)
    message, folder = fault(f"sqlite:///{file}"), file.parent
    assert "restore a backup" in message
    assert f"`mkdir {folder}/broken-1 && mv {file}* {folder}/broken-1 && sentiment-rnn run evaluate`" in message
    (folder / "broken-1").mkdir()
    assert f"mkdir {folder}/broken-2 && " in fault(f"sqlite:///{file}"), "none is overwritten"


def test_a_folder_or_a_file_in_the_path_is_named(fault, file):
    assert "mlruns is a folder: name a file in it" in fault("sqlite:///mlruns")
    assert "a part of its path is a file: correct MLFLOW" in fault("sqlite:///mlruns/mlflow.db/mlflow.db")


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, who may become another user")
def test_a_store_of_another_user_or_without_write_access_is_opened_by_the_printed_command(fault, file, tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        folder.chmod(folder.stat().st_mode | 0o011)  # to go through
    uri = f"sqlite:///{file}"
    os.seteuid(54321)
    try:
        message = fault(uri)
        assert "user 54321 may not write there; as root, " in message
        os.seteuid(0)
        run_cure(message, "chown -R {} {}", tmp_path)
        os.seteuid(54321)
        connect()
        for path in (*file.parent.iterdir(), file.parent):
            path.chmod(0o555 if path.is_dir() else 0o444)
        run_cure(fault(uri), "chmod -R u+rwX {}", tmp_path)
        connect()
    finally:
        os.seteuid(0)


@pytest.fixture
def server() -> Iterator[str]:
    """The address of a server that is not MLflow's: `/STATUS` responds with that status."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(int(self.path.split("/")[1]))
            self.end_headers()
            self.wfile.write(b"<html>a page</html>")

        def log_message(self, *arguments: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield f"127.0.0.1:{listening.server_port}"
        listening.shutdown()


@pytest.mark.parametrize(
    ("uri", "cause", "cure"),
    [
        (
            "http://{server}/200",
            "not in a valid JSON",
            "no MLflow server has this address: correct MLFLOW_TRACKING_URI",
        ),
        ("http://{server}/404", "404", "no MLflow server has this address: correct MLFLOW_TRACKING_URI"),
        ("http://me:secret@{server}/401", "401", "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("http://{server}/403", "403", "set MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"),
        ("http://{server}/500", "too many 500", "the reason is in the server's log"),
        ("https://{server}/", "WRONG_VERSION_NUMBER", "correct https or http in MLFLOW_TRACKING_URI, or name its cert"),
        ("http://me:secret@127.0.0.1:1", "Connection refused", "start it, or unset MLFLOW_TRACKING_URI"),
        ("http://nosuch.invalid", "Name or service not known", "start it, or unset MLFLOW_TRACKING_URI"),
        ("http://127.0.0.1:99999", "Failed to parse", "no MLflow server has this address"),
        ("postgresql://me:secret@127.0.0.1:1/mlflow", "Connection refused", "start it, or unset MLFLOW_TRACKING_URI"),
        ("postgresql+nosuch://127.0.0.1/mlflow", "plugin", "name no driver in MLFLOW_TRACKING_URI"),
    ],
)
def test_of_a_server_the_reason_decides_the_cure(uri, cause, cure, fault, server):
    message = fault(uri.format(server=server))
    assert cause in message
    assert cure in message


@pytest.mark.soak
def test_a_missing_driver_is_installed_by_the_printed_command(fault, tmp_path):
    run_cure(fault("postgresql+pg8000://127.0.0.1/mlflow"), "pip install 'sentiment-rnn[postgresql]'", tmp_path)


def test_of_a_database_server_too(fault, postgresql):
    url = postgresql.url("mlflow")
    assert "create the database, or correct its name" in fault(url.replace("/mlflow", "/nosuch"))


def test_a_stage_prints_a_fault_in_the_middle_of_a_run_in_one_line_and_a_mistake_of_ours_as_it_is(client, tmp_path):
    overwrite(tmp_path / "mlruns/mlflow.db")
    with pytest.raises(MlflowException) as caught:
        client.create_experiment("e")
    message = (
        f"MLflow's store sqlite:///{tmp_path}/mlruns/mlflow.db: .*(malformed|file is not a database): restore a backup"
    )
    assert re.match(message, str(store_fault(caught.value)))
    assert store_fault(MlflowException("Changing param values is not allowed")) is None
    assert store_fault(ConnectionError("not MLflow's")) is None
