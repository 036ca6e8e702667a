"""Search jobs that are killed in every way: the count is exact, no MLflow run is left open or duplicated."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from urllib.error import URLError
from urllib.request import urlopen

import optuna
import psutil
import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from optuna.trial import FrozenTrial
from postgresql import PostgreSQL, free_port

from pipeline import search
from sentiment_rnn.errors import UserError
from sentiment_rnn.search.storage import open_storage, storage_url


def prepare(folder: Path, tokens: Path, **search) -> Path:
    """A project with tokenized reviews, whose trials take about a second."""
    values = shrunk_values()
    values["model"] |= {"batch_size": 4, "word_vectors": False}
    values["search"] |= {"workers": 2, "max_epochs": 2, **search}
    folder.mkdir(exist_ok=True)
    write_params(values, folder)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    return folder


class Stores(NamedTuple):
    """Where the study and its runs are: in files of the project, or on servers."""

    environment: dict[str, str]
    postgresql: PostgreSQL | None = None

    def storage(self, folder: Path) -> str:
        return self.environment.get("OPTUNA_STORAGE") or storage_url(None, folder / "work" / "search" / "bilstm")

    def client(self, folder: Path) -> MlflowClient:
        return MlflowClient(self.environment.get("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db"))


EMBEDDED = Stores({})


@pytest.fixture(scope="module")
def servers(postgresql, tmp_path_factory) -> Iterator[Stores]:
    """PostgreSQL, and an MLflow server on it."""
    folder, port = tmp_path_factory.mktemp("server"), free_port()
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
            time.sleep(0.5)
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


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    output, _ = process.communicate(timeout=400)
    assert process.returncode == status, output
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


def check(folder: Path, stores: Stores, n_trials: int) -> list[FrozenTrial]:
    """Exactly `n_trials` have finished, with one finished run each; no run is open; killed values were repeated.

    Returns:
        All trials of the study.
    """
    report = json.loads((folder / "reports/search/bilstm.json").read_text())
    assert len(report["trials"]) == report["complete"] + report["pruned"] == n_trials
    name = json.loads((folder / "work/search/bilstm/study.json").read_text())["study"]
    trials = optuna.load_study(storage=open_storage(stores.storage(folder)), study_name=name).get_trials()
    finished = [trial for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(finished) == n_trials
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED", "FAIL"}
    for trial in trials:
        if trial.state.name == "FAIL" and trial.params:
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


def test_a_search_resumes_after_kills_of_a_worker_the_driver_and_the_group(tokens, tmp_path, monkeypatch, capsys):
    n_trials = 16  # enough for all of this on a fast machine
    folder = prepare(tmp_path, tokens, n_trials=n_trials, seed=11)

    driver = start(folder)
    assert "2 workers" in wait_for(driver, "trial 0: complete")
    workers_of(driver)[0].kill()
    wait_for(driver, "finished, best")  # its slot starts another
    workers = workers_of(driver)
    os.killpg(driver.pid, signal.SIGINT)
    output = finish(driver, -signal.SIGINT)
    assert re.search(rf"stopped after \d+ of {n_trials} trials; the same command resumes the search", output)
    assert "Traceback" not in output
    assert not any(worker.is_running() for worker in workers)
    assert not (folder / "reports").exists()
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert runs
    assert not [run for run in runs if run.info.status == "RUNNING"]

    driver = start(folder)
    assert "trials finished" in wait_for(driver, "2 workers")
    assert "is being run by process" in finish(start(folder), 1)
    wait_for(driver, "finished, best")
    workers = workers_of(driver)
    driver.kill()
    driver.communicate()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, "no worker outlives its driver"

    driver = start(folder)
    wait_for(driver, "finished, best")
    kill_group(driver)
    with (folder / "work/search/bilstm/study.journal").open("ab") as journal:
        journal.write(b'{"op_code":5,"worker_id":"')  # as a worker that is killed while it writes

    monkeypatch.chdir(folder)
    search.main("bilstm")
    output = capsys.readouterr().out
    assert f"{n_trials}/{n_trials} finished, best 0." in output
    assert re.search(r"bilstm: (trial \d+ is|no trial is) better than the defaults", output)
    trials = check(folder, EMBEDDED, n_trials)
    done = [trial for trial in trials if trial.datetime_complete]
    assert any(
        one.number != other.number
        and one.datetime_start < other.datetime_complete
        and other.datetime_start < one.datetime_complete
        for one in done
        for other in done
    ), "two workers at the same time"
    logs = "".join(log.read_text() for log in Path("work/search/bilstm").glob("*.log"))
    assert "locked" not in logs

    search.main("bilstm", n_trials)
    assert "trial 0:" not in capsys.readouterr().out, "no trial is run twice"


def test_a_search_on_servers_survives_kills_and_an_outage_of_the_database(tokens, tmp_path, servers):
    """The database is that of both stores."""
    folder = prepare(tmp_path, tokens, n_trials=12, seed=12)
    driver = start(folder, servers)
    wait_for(driver, "finished, best")
    servers.postgresql.kill()
    time.sleep(12)
    servers.postgresql.start()
    wait_for(driver, "finished, best")
    workers_of(driver)[0].kill()
    wait_for(driver, "finished, best")
    other = prepare(tmp_path / "another clone", tokens, n_trials=12, seed=12)
    assert f"is being run by process {driver.pid} on" in finish(start(other, servers), 1)
    kill_group(driver)
    finish(start(other, servers))
    check(other, servers, 12)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_a_search_in_one_process_and_closes_its_runs(tokens, tmp_path, number):
    """Lightning, in whose training the signal arrives, turns Ctrl-C into an exit."""
    folder = prepare(tmp_path, tokens, workers=1, n_trials=50)
    driver = start(folder)
    wait_for(driver, "epoch 1/2")
    assert not workers_of(driver)
    driver.send_signal(number)
    output = finish(driver, -signal.SIGINT)
    assert re.search(r"stopped after \d+ of 50 trials; the same command resumes the search", output)
    assert "Traceback" not in output
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert "RUNNING" not in {run.info.status for run in runs}
    assert [run.info.status for run in runs if "mlflow.parentRunId" not in run.data.tags] == ["KILLED"]
    assert not (folder / "searches").exists()


def test_an_error_of_a_trial_ends_the_search_in_one_line(tokens, tmp_path, monkeypatch):
    folder = prepare(tmp_path, tokens, workers=1)
    monkeypatch.chdir(folder)
    (folder / "data/tokens").unlink()
    (folder / "data/tokens").mkdir()
    (folder / "data/tokens/dataset.json").write_text((tokens / "dataset.json").read_text())
    with pytest.raises(UserError, match=r"bilstm: data/tokens/train is missing: run `dvc repro"):
        search.main("bilstm")
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert {run.info.status for run in runs} == {"FAILED", "KILLED"}
    assert not (folder / "searches").exists()


@pytest.mark.parametrize(
    ("url", "message"),
    [
        ("postgresql://me:secret@127.0.0.1:9/db", "does not respond"),
        ("sqlite:///here.db", "lock one another out"),
    ],
)
def test_a_storage_that_cannot_be_used_is_an_error_in_one_line(project, tokens, monkeypatch, url, message):
    (project / "data").mkdir()
    (project / "data/tokens").symlink_to(tokens)
    monkeypatch.setenv("OPTUNA_STORAGE", url)
    with pytest.raises(UserError, match=message) as raised:
        search.main("bilstm")
    assert "secret" not in str(raised.value)
    assert not Path("searches").exists()
