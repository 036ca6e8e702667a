"""Search jobs as people run them, killed in every way: the count is exact, no MLflow run is left open or doubled."""

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
from postgresql import PostgreSQL, free_port

from sentiment_rnn.search.storage import open_storage, storage_url


def prepare(folder: Path, tokens: Path, **search) -> Path:
    """A project whose tokenize stage is done, with trials of about a second."""
    values = shrunk_values()
    values["model"] |= {"batch_size": 4}
    values["search"] |= {"workers": 2, "max_epochs": 2, **search}
    write_params(values, folder)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    return folder


class Stores(NamedTuple):
    """Where a job's study and its runs are kept: in files of its project, or on servers."""

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


def start(folder: Path, stores: Stores = EMBEDDED, *more: str) -> subprocess.Popen[str]:
    """The job, in a process group of its own."""
    environment = {key: os.environ[key] for key in os.environ if not key.startswith(("MLFLOW_", "OPTUNA_"))}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"} | stores.environment
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.search", "bilstm", *more],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
        # a test run in the background ignores Ctrl-C, and what it starts would too
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def finish(process: subprocess.Popen[str], status: int = 0) -> str:
    said, _ = process.communicate(timeout=400)
    assert process.returncode == status, said
    return said


def wait_for(process: subprocess.Popen[str], words: str) -> str:
    assert process.stdout
    said = ""
    for line in process.stdout:
        said += line
        if words in line:
            return said
    raise AssertionError(f"it ended without saying {words!r}: {said}")


def workers_of(launcher: subprocess.Popen[str]) -> list[psutil.Process]:
    living = [child for child in psutil.Process(launcher.pid).children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in living if "sentiment_rnn.search.worker" in child.cmdline()]


def wait_for_workers(launcher: subprocess.Popen[str]) -> list[psutil.Process]:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if len(found := workers_of(launcher)) == 2:
            return found
        time.sleep(0.1)
    raise AssertionError("there are no two workers")


def kill_group(launcher: subprocess.Popen[str]) -> None:
    os.killpg(launcher.pid, signal.SIGKILL)
    launcher.communicate()


def check(folder: Path, stores: Stores, asked: int, study: str | None = None) -> None:
    """Exactly so many trials have finished, each with one finished run; no run is open; killed values were tried."""
    written = json.loads((folder / "reports/search/bilstm.json").read_text())
    assert len(written["trials"]) == written["complete"] + written["pruned"] == asked
    name = study or json.loads((folder / "work/search/bilstm/study.json").read_text())["study"]
    trials = optuna.load_study(storage=open_storage(stores.storage(folder)), study_name=name).get_trials()
    done = [trial for trial in trials if trial.state.name in ("COMPLETE", "PRUNED")]
    assert len(done) == asked
    assert {trial.state.name for trial in trials} <= {"COMPLETE", "PRUNED", "FAIL"}
    values = [trial.params for trial in done]
    for trial in trials:
        if trial.state.name == "FAIL" and "surplus" not in trial.user_attrs and trial.params:
            assert any(trial.params.items() <= tried.items() for tried in values), "its values were tried again"

    client = stores.client(folder)
    experiment = client.get_experiment_by_name("sample-search").experiment_id
    runs = client.search_runs([experiment], f"tags.study = '{name}'", max_results=1000)
    parents = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert [run.info.status for run in parents] == ["FINISHED"]
    children = [run for run in runs if run not in parents]
    finished = [run for run in children if run.info.status == "FINISHED"]
    assert sorted(int(run.data.tags["trial"]) for run in finished) == [trial.number for trial in done]
    assert "RUNNING" not in {run.info.status for run in children}
    assert len({run.data.tags["trial"] for run in children}) == len(children), "a trial has one run"
    drawn = {artifact.path for artifact in client.list_artifacts(parents[0].info.run_id, "study")}
    assert "study/optimisation_history.png" in drawn


def test_two_workers_share_a_study_and_show_it(tokens, tmp_path):
    folder = prepare(tmp_path, tokens, trials=10)  # enough for a worker that a busy machine lets start late
    said = finish(start(folder))
    assert "2 workers" in said
    assert "locked" not in said
    assert len(re.findall(r"bilstm trial \d+: (?:complete|pruned) 0\.\d+ in", said)) == 10
    assert "10/10 done, best 0." in said
    check(folder, EMBEDDED, 10)
    study = json.loads((folder / "work/search/bilstm/study.json").read_text())["study"]
    trials = optuna.load_study(storage=open_storage(EMBEDDED.storage(folder)), study_name=study).get_trials()
    first, second = (
        [trial for trial in trials if trial.user_attrs["owner"]["pid"] == worker]
        for worker in {trial.user_attrs["owner"]["pid"] for trial in trials}
    )  # both worked
    assert any(
        one.datetime_start < other.datetime_complete and other.datetime_start < one.datetime_complete
        for one in first
        for other in second
    ), "side by side"
    client = EMBEDDED.client(folder)
    experiment = client.get_experiment_by_name("sample-search").experiment_id
    (parent,) = client.search_runs([experiment], "attributes.run_name = 'bilstm search'")
    drawn = {artifact.path for artifact in client.list_artifacts(parent.info.run_id, "study")}
    assert drawn == {
        f"study/{name}.png"
        for name in ("optimisation_history", "parallel_coordinates", "slices", "curves", "importances")
    }

    said = finish(start(folder))
    assert "trial 0" not in said, "what is done is not done again"
    finish(start(folder, EMBEDDED, "--trials", "11"))
    check(folder, EMBEDDED, 11)


@pytest.mark.soak
def test_a_hundred_short_trials_on_embedded_stores_meet_no_lock(tokens, tmp_path):
    values = {"trials": 100, "max_epochs": 1, "train_fraction": 0.1}
    folder = prepare(tmp_path, tokens, **values)
    said = finish(start(folder))
    assert "locked" not in said
    for log in (folder / "work/search/bilstm").glob("*.log"):
        assert "locked" not in log.read_text()
        assert "Traceback" not in log.read_text()
    check(folder, EMBEDDED, 100)


@pytest.mark.parametrize("kept", ["files", "servers"])
def test_a_search_survives_the_kill_of_a_worker_of_the_launcher_and_of_the_group(tokens, tmp_path, request, kept):
    stores = EMBEDDED if kept == "files" else request.getfixturevalue("servers")
    folder = prepare(tmp_path, tokens, trials=30, seed=11)  # enough for all three kills on a fast machine

    launcher = start(folder, stores)
    wait_for(launcher, "trial 0: complete")
    wait_for_workers(launcher)[0].kill()
    wait_for(launcher, "done, best")  # it goes on by itself
    left = wait_for_workers(launcher)
    launcher.kill()
    launcher.communicate()
    deadline = time.monotonic() + 30
    while any(worker.is_running() and worker.status() != psutil.STATUS_ZOMBIE for worker in left):
        assert time.monotonic() < deadline, "no worker outlives its launcher"
        time.sleep(0.1)

    launcher = start(folder, stores)
    assert "trials done" in wait_for(launcher, "2 workers")
    wait_for_workers(launcher)
    time.sleep(random.Random(4).uniform(3, 6))
    kill_group(launcher)

    finish(start(folder, stores))
    check(folder, stores, 30)


def test_ctrl_c_ends_cleanly_and_says_how_to_go_on(tokens, tmp_path):
    folder = prepare(tmp_path, tokens, trials=60)
    launcher = start(folder)
    wait_for(launcher, "trial 1: ")
    workers = workers_of(launcher)
    os.killpg(launcher.pid, signal.SIGINT)
    said = finish(launcher, -signal.SIGINT)
    assert re.search(r"stopped with \d+ of 60 trials done; the same command goes on from there", said)
    assert "Traceback" not in said
    assert not any(worker.is_running() for worker in workers)
    assert not (folder / "reports").exists()
    client = EMBEDDED.client(folder)
    runs = client.search_runs([client.get_experiment_by_name("sample-search").experiment_id])
    assert not [run for run in runs if run.info.status == "RUNNING"]

    launcher = start(folder)
    wait_for(launcher, "done, best")
    launcher.terminate()  # as a cluster ends a job
    assert "the same command goes on" in finish(launcher, -signal.SIGINT)
    finish(start(folder, EMBEDDED, "--trials", "5"))


def test_two_machines_join_one_study_while_the_database_goes_away(tokens, tmp_path, servers):
    """Two launchers in two clones stand for two machines; the database of both stores is away for 20 s."""
    folders = [tmp_path / "first", tmp_path / "second"]
    for folder in folders:
        folder.mkdir()
        prepare(folder, tokens, trials=16, workers=1, seed=12)
    launchers = [start(folder, servers) for folder in folders]
    wait_for(launchers[1], "1 worker")  # a launcher that finds no database says so, and ends
    wait_for(launchers[0], "done, best")
    assert servers.postgresql
    servers.postgresql.kill()
    time.sleep(20)
    servers.postgresql.start()
    for launcher in launchers:
        finish(launcher)
    for folder in folders:
        check(folder, servers, 16)
    studies = {json.loads((folder / "work/search/bilstm/study.json").read_text())["study"] for folder in folders}
    (name,) = studies
    trials = optuna.load_study(storage=open_storage(servers.storage(tmp_path)), study_name=name).get_trials()
    assert len({trial.user_attrs["owner"]["pid"] for trial in trials}) >= 2, "both took part"


@pytest.mark.parametrize(
    ("environment", "more", "said"),
    [
        ({"OPTUNA_STORAGE": "postgresql://me:secret@127.0.0.1:9/db"}, (), "does not answer"),
        ({"OPTUNA_STORAGE": "sqlite:///here.db"}, (), "lock one another out"),
        ({}, ("--trials", "few"), "above 0"),
    ],
)
def test_bad_input_is_one_line_and_not_zero(tokens, tmp_path, environment, more, said):
    folder = prepare(tmp_path, tokens)
    process = start(folder, Stores(environment), *more)
    words, _ = process.communicate(timeout=120)
    assert process.returncode not in (0, None)
    assert said in words
    assert "Traceback" not in words
    assert "secret" not in words
    assert not (folder / "searches").exists()


def test_a_failing_worker_ends_the_search_with_its_reason(tokens, tmp_path):
    folder = prepare(tmp_path, tokens)
    (folder / "data/tokens").unlink()
    (folder / "data/tokens").mkdir()
    (folder / "data/tokens/dataset.json").write_text((tokens / "dataset.json").read_text())
    said = finish(start(folder), 1)
    assert said.strip().splitlines()[-1].startswith("error: bilstm: data/tokens/train is not there: run `dvc repro")
    client = EMBEDDED.client(folder)
    runs = client.search_runs([client.get_experiment_by_name("sample-search").experiment_id])
    assert not [run for run in runs if run.info.status == "RUNNING"]
    (folder / "data/tokens/dataset.json").unlink()
    (folder / "data/tokens").rmdir()
    (folder / "data/tokens").symlink_to(tokens)
    finish(start(folder))
    check(folder, EMBEDDED, 2)


@pytest.mark.soak
@pytest.mark.parametrize("kept", ["files", "servers"])
def test_twenty_kills_at_random_moments(tokens, tmp_path, request, kept):
    stores = EMBEDDED if kept == "files" else request.getfixturevalue("servers")
    draw, kills, studies = random.Random(1), 0, 0
    while kills < 20:
        studies += 1
        folder = tmp_path / f"study-{studies}"
        folder.mkdir()
        prepare(folder, tokens, trials=12, seed=100 + studies)
        for kind in draw.sample(["worker", "launcher", "group", "worker", "group"], 5):
            launcher = start(folder, stores)
            try:
                launcher.wait(timeout=draw.uniform(2, 16))
                break  # it ended first
            except subprocess.TimeoutExpired:
                kills += 1
            if kind == "worker" and (found := workers_of(launcher)):
                draw.choice(found).kill()
                time.sleep(draw.uniform(0, 3))
            if kind == "launcher":
                launcher.kill()
                launcher.communicate()
            else:
                kill_group(launcher)
        finish(start(folder, stores))
        check(folder, stores, 12)
    assert studies > 2
