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


def workers_of(launcher: subprocess.Popen[str]) -> list[psutil.Process]:
    alive = [child for child in psutil.Process(launcher.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "sentiment_rnn.search.worker" in child.cmdline()]


def kill_group(launcher: subprocess.Popen[str]) -> None:
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()


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
        if trial.state.name == "FAIL" and "surplus" not in trial.user_attrs and trial.params:
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


def test_a_search_resumes_after_kills_of_a_worker_the_launcher_and_the_group(tokens, tmp_path, monkeypatch, capsys):
    n_trials = 16  # enough for all of this on a fast machine
    folder = prepare(tmp_path, tokens, n_trials=n_trials, seed=11)

    launcher = start(folder)
    assert "2 workers" in wait_for(launcher, "trial 0: complete")
    workers_of(launcher)[0].kill()
    wait_for(launcher, "finished, best")  # the launcher restarts the worker
    workers = workers_of(launcher)
    os.killpg(launcher.pid, signal.SIGINT)
    output = finish(launcher, -signal.SIGINT)
    assert re.search(rf"stopped after \d+ of {n_trials} trials; the same command resumes the search", output)
    assert "Traceback" not in output
    assert not any(worker.is_running() for worker in workers)
    assert not (folder / "reports").exists()
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert runs
    assert not [run for run in runs if run.info.status == "RUNNING"]

    launcher = start(folder)
    assert "trials finished" in wait_for(launcher, "2 workers")
    wait_for(launcher, "finished, best")
    workers = workers_of(launcher)
    launcher.kill()
    launcher.communicate()
    _, alive = psutil.wait_procs(workers, timeout=30)
    assert not alive, "no worker outlives its launcher"

    launcher = start(folder)
    wait_for(launcher, "finished, best")
    kill_group(launcher)

    monkeypatch.chdir(folder)
    search.main("bilstm")
    output = capsys.readouterr().out
    assert f"{n_trials}/{n_trials} finished, best 0." in output
    assert re.search(r"bilstm: (trial \d+ is|no trial is) better than the defaults", output)
    trials = check(folder, EMBEDDED, n_trials)
    done = [trial for trial in trials if trial.datetime_complete]
    assert any(
        one.user_attrs["owner"] != other.user_attrs["owner"]
        and one.datetime_start < other.datetime_complete
        and other.datetime_start < one.datetime_complete
        for one in done
        for other in done
    ), "two workers at the same time"
    logs = "".join(log.read_text() for log in Path("work/search/bilstm").glob("*.log"))
    assert "locked" not in logs

    search.main("bilstm", n_trials)
    assert "trial 0:" not in capsys.readouterr().out, "no trial is run twice"


def test_two_machines_share_a_study_while_one_dies_and_the_database_is_away(tokens, tmp_path, servers):
    """Two launchers in two clones represent two machines; the database is that of both stores."""
    folders = [prepare(tmp_path / name, tokens, n_trials=14, workers=1, seed=12) for name in ("first", "second")]
    first, second = (start(folder, servers) for folder in folders)
    wait_for(second, "1 worker")  # a launcher that finds no database ends with an error
    wait_for(first, "finished, best")
    servers.postgresql.kill()
    time.sleep(10)
    servers.postgresql.start()
    wait_for(second, "finished, best")
    workers_of(first)[0].kill()
    kill_group(second)
    finish(first)
    trials = check(folders[0], servers, 14)
    assert len({trial.user_attrs["owner"]["pid"] for trial in trials}) >= 3, "of both machines, and a restarted one"


def test_sigterm_ends_a_search_like_ctrl_c_and_an_error_of_a_worker_ends_it(tokens, tmp_path, monkeypatch):
    folder = prepare(tmp_path, tokens, workers=1)
    monkeypatch.chdir(folder)
    (folder / "data/tokens").unlink()
    (folder / "data/tokens").mkdir()
    (folder / "data/tokens/dataset.json").write_text((tokens / "dataset.json").read_text())
    with pytest.raises(UserError, match=r"bilstm: data/tokens/train is missing: run `dvc repro"):
        search.main("bilstm")
    monkeypatch.setattr("sentiment_rnn.search.launch.Workers.check", lambda *_: os.kill(os.getpid(), signal.SIGTERM))
    with pytest.raises(KeyboardInterrupt):
        search.main("bilstm")
    runs = EMBEDDED.client(folder).search_runs(["1"])
    assert {run.info.status for run in runs} <= {"FAILED", "KILLED"}
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


@pytest.mark.soak
def test_a_hundred_short_trials_on_embedded_stores_meet_no_lock(tokens, tmp_path):
    folder = prepare(tmp_path, tokens, n_trials=100, max_epochs=1, train_fraction=0.1)
    output = finish(start(folder))
    logs = "".join(log.read_text() for log in (folder / "work/search/bilstm").glob("*.log"))
    assert "locked" not in output + logs
    assert "Traceback" not in logs
    check(folder, EMBEDDED, 100)


@pytest.mark.soak
@pytest.mark.parametrize("kind", ["files", "servers"])
def test_twenty_kills_at_random_moments(tokens, tmp_path, request, kind):
    stores = EMBEDDED if kind == "files" else request.getfixturevalue("servers")
    rng, kills, studies = random.Random(1), 0, 0
    while kills < 20:
        studies += 1
        folder = prepare(tmp_path / f"study-{studies}", tokens, n_trials=12, seed=100 + studies)
        for victim in rng.sample(["worker", "launcher", "group", "worker", "group"], 5):
            launcher = start(folder, stores)
            try:
                launcher.wait(timeout=rng.uniform(2, 16))
                break  # the search has ended
            except subprocess.TimeoutExpired:
                kills += 1
            if victim == "worker" and (found := workers_of(launcher)):
                rng.choice(found).kill()
                time.sleep(rng.uniform(0, 3))
            if victim == "launcher":
                launcher.kill()
                launcher.communicate()
            else:
                kill_group(launcher)
        finish(start(folder, stores))
        check(folder, stores, 12)
    assert studies > 2
