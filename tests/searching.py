"""Search jobs in projects of their own, to be killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import optuna
import psutil
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from optuna.trial import FrozenTrial
from postgresql import PostgreSQL, free_port
from ruamel.yaml import YAML

from sentiment_rnn.search.driver import MAX_ATTEMPTS
from sentiment_rnn.search.storage import open_storage, storage_url

FINISHED = ("COMPLETE", "PRUNED")
INTERRUPTED = (-signal.SIGINT, 1)  # the latter where torch's exit handlers hide the interrupt from Python


def prepare(folder: Path, tokens: Path, **search) -> Path:
    """A project with tokenized reviews."""
    folder.mkdir(exist_ok=True)
    write_search(folder, **search)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    return folder


def write_search(folder: Path, **search) -> None:
    """Write params.yaml; trials take about a second. What is not given is as it was."""
    file = folder / "params.yaml"
    values = YAML(typ="safe").load(file.read_text()) if file.exists() else shrunk_values()
    values["model"] |= {"batch_size": 4, "word_vectors": False}
    values["search"] |= {"workers": 2, "max_epochs": 2, **search}
    write_params(values, folder)


class Stores(NamedTuple):
    """Where the study and its runs are: in files of the project, or on servers."""

    environment: dict[str, str]
    postgresql: PostgreSQL | None = None

    def storage(self, folder: Path) -> str:
        return self.environment.get("OPTUNA_STORAGE") or storage_url(None, folder / "work" / "search" / "bilstm")

    def uri(self, folder: Path) -> str:
        return self.environment.get("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")

    def client(self, folder: Path) -> MlflowClient:
        return MlflowClient(self.uri(folder))


EMBEDDED = Stores({})


@contextmanager
def mlflow_server(postgresql: PostgreSQL, folder: Path) -> Iterator[Stores]:
    """An MLflow server on a PostgreSQL that is the storage of studies too."""
    port = free_port()
    command = [
        sys.executable, "-m", "mlflow", "server", "--backend-store-uri", postgresql.url("mlflow"),
        "--artifacts-destination", str(folder), "--host", "127.0.0.1", "--port", str(port), "--workers", "1",
    ]  # fmt: skip
    with (folder / "log").open("wb") as log:
        server = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log, start_new_session=True)
    uri = f"http://127.0.0.1:{port}"
    deadline = time.monotonic() + 120
    while True:
        try:
            urlopen(f"{uri}/health").close()
            break
        except URLError:
            assert time.monotonic() < deadline, (folder / "log").read_text()
            time.sleep(0.2)
    yield Stores({"MLFLOW_TRACKING_URI": uri, "OPTUNA_STORAGE": postgresql.url("optuna")}, postgresql)
    os.killpg(server.pid, signal.SIGKILL)
    server.wait()


def start(folder: Path, stores: Stores = EMBEDDED) -> subprocess.Popen[str]:
    """The job, in a process group of its own."""
    environment = {key: os.environ[key] for key in os.environ if not key.startswith(("MLFLOW_", "OPTUNA_"))}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"} | stores.environment
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.search", "bilstm"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a test run in the background ignores Ctrl-C, and so would the processes that it starts
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str], *status: int, timeout: float = 400) -> str:
    output, _ = process.communicate(timeout=timeout)
    assert process.returncode in (status or (0,)), output
    return output


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"it ended without printing {text!r}: {output}")


def workers_of(driver: subprocess.Popen[str]) -> list[psutil.Process]:
    alive = [child for child in psutil.Process(driver.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "spawn_main" in " ".join(child.cmdline())]


def kill_group(driver: subprocess.Popen[str]) -> None:
    os.killpg(driver.pid, signal.SIGKILL)
    driver.communicate()


def study(folder: Path, stores: Stores) -> tuple[str, list[FrozenTrial]]:
    """Name and trials of the study."""
    name = json.loads((folder / "work/search/bilstm/study.json").read_text())["study"]
    return name, optuna.load_study(storage=open_storage(stores.storage(folder)), study_name=name).get_trials()


def count_finished(folder: Path, stores: Stores) -> int:
    return sum(trial.state.name in FINISHED for trial in study(folder, stores)[1])


def check(folder: Path, stores: Stores, n_trials: int) -> list[FrozenTrial]:
    """Exactly `n_trials` have finished, with one finished run each; no run is open; killed values were repeated.

    Returns:
        All trials of the study.
    """
    report = json.loads((folder / "reports/search/bilstm.json").read_text())
    assert len(report["trials"]) == report["complete"] + report["pruned"] == n_trials
    name, trials = study(folder, stores)
    finished = [trial for trial in trials if trial.state.name in FINISHED]
    assert len(finished) == n_trials
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED", "FAIL"}
    for trial in trials:
        if trial.state.name == "FAIL" and trial.params and trial.user_attrs.get("attempt", 1) < MAX_ATTEMPTS:
            assert any(trial.params.items() <= other.params.items() for other in finished), "its values were repeated"

    client = stores.client(folder)
    experiment = client.get_experiment_by_name("synthetic-search").experiment_id
    runs = client.search_runs([experiment], f"tags.study = '{name}'", max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parents] == ["FINISHED"]
    children = [run for run in runs if run not in parents]
    finished_runs = [run for run in children if run.info.status == "FINISHED"]
    assert sorted(int(run.data.tags["trial"]) for run in finished_runs) == [trial.number for trial in finished]
    assert "RUNNING" not in {run.info.status for run in children}
    assert len({run.data.tags["trial"] for run in children}) == len(children), "a trial has one run"
    plots = {artifact.path for artifact in client.list_artifacts(parents[0].info.run_id, "study")}
    assert plots == {
        f"study/{name}.png"
        for name in ("optimization_history", "parallel_coordinates", "slices", "learning_curves", "importances")
    }
    return trials
