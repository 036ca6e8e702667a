"""Searches on a real Ray cluster of two nodes on this machine, whose parts are killed: the count is exact."""

import json
import os
import random
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import optuna
import psutil
import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from postgresql import free_port

from sentiment_rnn.search.storage import open_storage, storage_url

pytest.importorskip("ray")
BIN = Path(sys.executable).parent
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": "0123456789" * 5}  # Ray listens on all network interfaces
NODE = ["--num-cpus=1", "--object-store-memory=80000000", "--include-log-monitor=false", "--block"]


class Node:
    """A node of a cluster: `ray start` and all that it starts."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        # the variables are a SLURM job's, of which the raylets and their workers are started
        environment = os.environ | TOKEN | {"RAY_USAGE_STATS_ENABLED": "0", "SLURM_NTASKS": "2", "SLURM_PROCID": "1"}
        environment.pop("PYTHONPATH", None)
        self.log = folder / f"{len(list(folder.iterdir()))}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [BIN / "ray", "start", *arguments, *NODE],
                cwd=folder, env=environment, stdout=log, stderr=log, start_new_session=True,
            )  # fmt: skip
        wait_until(lambda: "Ray runtime started" in self.log.read_text())

    def processes(self) -> list[psutil.Process]:
        with_children = psutil.Process(self.process.pid)
        return [with_children, *with_children.children(recursive=True)]

    def workers(self) -> list[psutil.Process]:
        """The actors that run a function."""
        return [process for process in self.processes() if title(process) == "ray::Worker.run"]

    def kill(self) -> None:
        """End all its processes at once, as a power cut does."""
        if self.process.poll() is None:
            processes = self.processes()
            for process in processes:
                process.kill()
            self.process.wait()
            psutil.wait_procs(processes, timeout=30)


class Cluster:
    """A head and a second node, each with one slot."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.start()

    def start(self) -> None:
        self.head = Node(self.folder, "--head", f"--port={self.port}", "--include-dashboard=false")
        self.address = next(
            line.split("'")[1] for line in self.head.log.read_text().splitlines() if "ray start --address=" in line
        )
        self.second = self.join()

    def join(self) -> Node:
        # Ray takes two raylets with one address for one node
        self.second = Node(self.folder, f"--address={self.address}", "--node-ip-address=127.0.0.2")
        return self.second

    def kill(self) -> None:
        self.head.kill()
        self.second.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("ray"))
    yield cluster
    cluster.kill()


def title(process: psutil.Process) -> str:
    try:
        return process.cmdline()[0]
    except (psutil.Error, IndexError):
        return ""


def wait_until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def prepare(folder: Path, tokens: Path, seed: int, n_trials: int) -> Path:
    """A project with tokenized reviews, whose trials take about a second."""
    values = shrunk_values()
    values["model"] |= {"batch_size": 4, "word_vectors": False, "max_epochs": 5}
    values["search"] |= {"workers": "auto", "max_epochs": 5, "pruner": "none", "seed": seed, "n_trials": n_trials}
    folder.mkdir(exist_ok=True)
    write_params(values, folder)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    return folder


def start(folder: Path, cluster: Cluster) -> subprocess.Popen[str]:
    """The search, in a process group of its own."""
    environment = {key: os.environ[key] for key in os.environ if not key.startswith(("MLFLOW_", "OPTUNA_"))}
    environment |= TOKEN | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "RAY_ADDRESS": cluster.address}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.search", "bilstm"],
        cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip


def wait_for(process: subprocess.Popen[str], text: str) -> str:
    assert process.stdout
    output = ""
    for line in process.stdout:
        output += line
        if text in line:
            return output
    raise AssertionError(f"it ended without printing {text!r}: {output}")


def finish(process: subprocess.Popen[str], succeeds: bool = True) -> str:
    output, _ = process.communicate(timeout=200)
    assert (process.returncode == 0) is succeeds, output
    assert "Traceback" not in output
    return output


def check(folder: Path, n_trials: int) -> list[optuna.trial.FrozenTrial]:
    """Exactly `n_trials` have finished, with one finished run each; no run is open; killed values were repeated.

    Returns:
        All trials of the study.
    """
    report = json.loads((folder / "reports/search/bilstm.json").read_text())
    assert report["complete"] == n_trials
    work = folder / "work/search/bilstm"
    name = json.loads((work / "study.json").read_text())["study"]
    trials = optuna.load_study(storage=open_storage(storage_url(None, work)), study_name=name).get_trials()
    complete = [trial for trial in trials if trial.state.name == "COMPLETE"]
    assert len(complete) == n_trials
    for trial in trials:
        if trial not in complete:
            assert trial.state.name == "FAIL"
            assert any(trial.params.items() <= other.params.items() for other in complete), "its values were repeated"
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("synthetic-search").experiment_id], max_results=1000)
    assert "RUNNING" not in {run.info.status for run in runs}
    finished = [
        int(run.data.tags["trial"]) for run in runs if run.info.status == "FINISHED" and "trial" in run.data.tags
    ]
    assert sorted(finished) == [trial.number for trial in complete]
    return trials


def failed(trials: list[optuna.trial.FrozenTrial]) -> int:
    return sum(trial.state.name == "FAIL" for trial in trials)


def test_a_search_outlives_an_actor_a_node_and_its_driver_and_uses_a_node_that_joins(tokens, tmp_path, cluster):
    search = start(prepare(tmp_path, tokens, seed=1, n_trials=16), cluster)
    output = wait_for(search, "finished, best")
    assert "2 Ray actors, one CPU each" in output
    wait_until(cluster.head.workers)
    cluster.head.workers()[0].kill()
    output += wait_for(search, "finished, best")
    wait_until(cluster.second.workers)
    cluster.second.kill()
    output += wait_for(search, "finished, best")
    assert not [line for line in output.splitlines() if not line.startswith("bilstm")], "nothing of Ray itself"
    wait_until(cluster.head.workers)
    search.kill()
    search.communicate()
    wait_until(lambda: not cluster.head.workers(), 20)

    search = start(tmp_path, cluster)
    wait_for(search, "finished, best")  # whether or not Ray knows already that the second node is dead
    cluster.join()
    wait_until(cluster.second.workers)
    finish(search)
    assert failed(check(tmp_path, 16)) == 3


def test_an_actor_has_the_code_the_folder_and_the_servers_of_the_driver(cluster, tmp_path):
    variables = os.environ | TOKEN | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent)]),
        "RAY_ADDRESS": cluster.address, "MLFLOW_TRACKING_URI": "http://mlflow.example:5000",
    }  # fmt: skip
    command = [sys.executable, "-m", "actor"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    found, error = done.stdout.splitlines()
    got = json.loads(found)
    assert got["folder"] == str(tmp_path)
    assert Path(got["package"]) == ROOT / "src/sentiment_rnn/__init__.py", "the nodes were started without PYTHONPATH"
    assert got["MLFLOW_TRACKING_URI"] == "http://mlflow.example:5000"
    assert got["OMP_NUM_THREADS"] == "1"
    assert not [name for name in got if name.startswith("SLURM_")], "Lightning would take the actor for a rank"
    assert error == "UserError('a folder is missing')"

    for changed in ({"RAY_ADDRESS": "127.0.0.1:9"}, {"RAY_AUTH_TOKEN": "another" * 6}):
        done = subprocess.run(command, env=variables | changed, capture_output=True, text=True, check=False, timeout=60)
        assert re.search(r"UserError: no Ray cluster at RAY_ADDRESS=[^\n]*\n$", done.stderr), done.stderr


@pytest.mark.soak
def test_without_the_head_a_search_ends_with_an_error_and_resumes_on_a_new_cluster(tokens, tmp_path, cluster):
    prepare(tmp_path, tokens, seed=3, n_trials=30)
    search = start(tmp_path, cluster)
    wait_for(search, "finished, best")
    cluster.head.kill()
    output = finish(search, succeeds=False)
    assert re.search(r"(^|\n)error: the head of the Ray cluster has not responded for 20 s; .*\n$", output)
    cluster.kill()
    cluster.start()
    finish(start(tmp_path, cluster))
    check(tmp_path, 30)


@pytest.mark.soak
def test_twenty_kills_at_random_moments(tokens, tmp_path, cluster):
    rng, kills, studies = random.Random(1), 0, 0
    while kills < 20:
        studies += 1
        folder = prepare(tmp_path / f"study-{studies}", tokens, seed=100 + studies, n_trials=12)
        for victim in rng.sample(["actor", "node", "driver", "actor", "driver", "terminate"], 6):
            search = start(folder, cluster)
            try:
                search.wait(timeout=rng.uniform(4, 14))
                break  # the search has ended
            except subprocess.TimeoutExpired:
                kills += 1
            if victim == "actor" and (actors := cluster.head.workers() + cluster.second.workers()):
                rng.choice(actors).kill()
            elif victim == "node":
                cluster.second.kill()
                time.sleep(rng.uniform(0, 3))
                cluster.join()
            if victim in ("actor", "node"):
                time.sleep(rng.uniform(0, 3))
            search.send_signal(signal.SIGTERM if victim == "terminate" else signal.SIGKILL)
            search.communicate()
        finish(start(folder, cluster))
        check(folder, 12)
