"""Searches on a real Ray cluster of two nodes on this machine, whose parts are killed: the count is exact."""

import json
import os
import random
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
from conftest import ROOT
from postgresql import free_port
from searching import EMBEDDED, Stores, check, count_finished, finish, prepare, start, wait_for, write_search

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
        self.files = tempfile.mkdtemp(prefix="ray-")  # short: the paths of sockets have at most 107 characters
        self.start()

    def start(self) -> None:
        arguments = (f"--port={self.port}", "--include-dashboard=false", f"--temp-dir={self.files}")
        self.head = Node(self.folder, "--head", *arguments)
        self.address = next(
            line.split("'")[1] for line in self.head.log.read_text().splitlines() if "ray start --address=" in line
        )
        self.second = self.join()

    def join(self) -> Node:
        # an address of its own: Ray takes raylets with the same one for one node
        self.second = Node(
            self.folder, f"--address={self.address}", "--node-ip-address=127.0.0.2", f"--temp-dir={self.files}"
        )
        return self.second

    def kill(self) -> None:
        self.head.kill()
        self.second.kill()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    cluster = Cluster(tmp_path_factory.mktemp("ray"))
    yield cluster
    cluster.kill()
    shutil.rmtree(cluster.files)


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


def stores(cluster: Cluster) -> Stores:
    return Stores(TOKEN | {"RAY_ADDRESS": cluster.address})


def test_a_search_outlives_an_actor_and_a_node(tokens, tmp_path, cluster):
    prepare(tmp_path, tokens, workers="auto", seed=1, n_trials=10)
    search = start(tmp_path, stores(cluster))
    assert "2 Ray actors, one CPU each" in wait_for(search, "finished, best")
    wait_until(cluster.head.workers)
    cluster.head.workers()[0].kill()
    wait_for(search, "finished, best")
    wait_until(cluster.second.workers)
    cluster.second.kill()
    finish(search)
    trials = check(tmp_path, EMBEDDED, 10)
    assert sum(trial.state.name == "FAIL" for trial in trials) >= 2, "each kill met a trial"


def test_an_actor_has_the_code_the_folder_and_the_servers_of_the_driver(cluster, tmp_path):
    variables = os.environ | TOKEN | {
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(Path(__file__).parent)]),
        "RAY_ADDRESS": cluster.address, "MLFLOW_TRACKING_URI": "http://mlflow.example:5000",
    }  # fmt: skip
    command = [sys.executable, "-m", "actor"]
    done = subprocess.run(command, cwd=tmp_path, env=variables, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    # Ray may print a paragraph about the deaths that the test above brought about
    found, error = [line for line in done.stdout.splitlines() if line.startswith(("{", "UserError("))]
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
def test_a_search_outlives_its_driver_and_uses_a_node_that_joins(tokens, tmp_path, cluster):
    prepare(tmp_path, tokens, workers="auto", seed=2, n_trials=1000)  # enough for the time that a node takes to join
    cluster.second.kill()
    search = start(tmp_path, stores(cluster))
    wait_for(search, "finished, best")  # whether or not Ray knows already that the second node is dead
    search.kill()
    search.communicate()
    wait_until(lambda: not cluster.head.workers(), 20)

    search = start(tmp_path, stores(cluster))
    wait_for(search, "finished, best")
    cluster.join()
    wait_until(cluster.second.workers)
    search.kill()
    search.communicate()
    n_trials = count_finished(tmp_path, EMBEDDED) + 3
    write_search(tmp_path, n_trials=n_trials)
    finish(start(tmp_path, stores(cluster)))
    check(tmp_path, EMBEDDED, n_trials)


@pytest.mark.soak
def test_without_the_head_a_search_ends_with_an_error_and_resumes_on_a_new_cluster(tokens, tmp_path, cluster):
    prepare(tmp_path, tokens, workers="auto", seed=3, n_trials=40)
    search = start(tmp_path, stores(cluster))
    wait_for(search, "finished, best")
    cluster.head.kill()
    output = finish(search, 1)
    assert re.search(r"(^|\n)error: the head of the Ray cluster has not responded for 20 s; .*\n$", output)
    cluster.kill()
    cluster.start()
    finish(start(tmp_path, stores(cluster)))
    check(tmp_path, EMBEDDED, 40)


@pytest.mark.soak
def test_twenty_kills_at_random_moments(tokens, tmp_path, cluster):
    rng, kills, studies = random.Random(1), 0, 0
    while kills < 20:
        studies += 1
        folder = prepare(tmp_path / f"study-{studies}", tokens, workers="auto", seed=100 + studies, n_trials=14)
        for victim in rng.sample(["actor", "node", "driver", "actor", "driver", "terminate"], 6):
            search = start(folder, stores(cluster))
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
        finish(start(folder, stores(cluster)))
        check(folder, EMBEDDED, 14)
