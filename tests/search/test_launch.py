"""How many workers there are and on what, and what is done about those that die."""

import os
import signal
import subprocess
import sys

import pytest
from bench import PARAMS, Bench

from sentiment_rnn.errors import UserError
from sentiment_rnn.search import launch
from sentiment_rnn.search.launch import Workers, search


def planned(bench: Bench, workers: int | str, missing: int = 100) -> Workers:
    asked = bench.search.params.model_copy(update={"workers": workers})
    return Workers(bench.search.model_copy(update={"params": asked}), bench.work, missing)


@pytest.fixture
def bench(client, tokens, monkeypatch) -> Bench:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    return Bench(client, tokens)


@pytest.mark.parametrize(
    ("workers", "missing", "count", "threads"),
    [("auto", 100, 8, 1), ("auto", 3, 3, 2), (2, 100, 2, 4), (3, 100, 3, 2), (16, 100, 16, 1), (4, 1, 1, 8)],
)
def test_cores_are_shared_out_among_the_workers(bench, workers, missing, count, threads):
    plan = planned(bench, workers, missing)
    assert (plan.count, plan.threads) == (count, threads)


@pytest.mark.parametrize(("workers", "devices"), [("auto", ["2", "5"]), (4, ["2", "5", "2", "5"]), (1, ["2"])])
def test_each_worker_sees_one_gpu_and_no_batch_system(bench, monkeypatch, workers, devices):
    monkeypatch.setattr(launch, "gpus", lambda trainer: ["2", "5"])
    monkeypatch.setenv("SLURM_PROCID", "3")
    said = "import os; print(os.environ.get('CUDA_VISIBLE_DEVICES'), [k for k in os.environ if k.startswith('SLURM')])"
    start = subprocess.Popen

    def saying(command, **named):
        return start([sys.executable, "-c", said], **named)

    monkeypatch.setattr(subprocess, "Popen", saying)
    with planned(bench, workers) as plan:
        for process in plan.processes:
            process.wait()
    seen = [plan._log(index).read_text().split()[0] for index in range(plan.count)]
    assert seen == devices
    assert all(plan._log(index).read_text().endswith("[]\n") for index in range(plan.count))


class Sleepers(Workers):
    """Workers that do nothing until they are killed."""

    started = 0

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        self.started += 1
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])


def kill(workers: Workers) -> None:
    workers.processes[0].send_signal(signal.SIGKILL)
    workers.processes[0].wait()


def test_a_killed_worker_is_started_again_until_it_looks_hopeless(bench):
    with Sleepers(bench.search, bench.work, 1) as workers:
        for _ in range(launch.MAX_DEATHS):
            kill(workers)
            assert workers.check(0)
        assert workers.started == launch.MAX_DEATHS + 1
        kill(workers)
        assert workers.check(1), "a trial has finished in between"
        for _ in range(launch.MAX_DEATHS - 1):
            kill(workers)
            assert workers.check(1)
        kill(workers)
        with pytest.raises(UserError, match=r"died 6 times .* memory"):
            workers.check(1)
        kept = workers.processes
    assert all(process.poll() is not None for process in kept), "none outlives the block"


@pytest.mark.parametrize("words", ["error: data/tokens is not there", "ValueError: it is broken"])
def test_a_worker_that_fails_is_quoted(bench, words):
    class Failing(Workers):
        def _start(self, index: int) -> subprocess.Popen[bytes]:
            self._log(index).write_text(f"much\n{words}\n\n")
            return subprocess.Popen([sys.executable, "-c", "raise SystemExit(1)"])

    with Failing(bench.search, bench.work, 1) as workers:
        if not words.startswith("error"):  # a bug, or a device out of memory: other values may do better
            for _ in range(launch.MAX_DEATHS):
                workers.processes[0].wait()
                workers.check(0)
        workers.processes[0].wait()
        with pytest.raises(UserError, match=words.removeprefix("error: ")):
            workers.check(0)


@pytest.mark.parametrize("nothing", ["document", "no trials", "no space", "cma_es"])
def test_where_there_is_nothing_to_search_nothing_is_found(client, tokens, tmp_path, nothing):
    model = PARAMS.model_of({"document": "bilstm_keras", "cma_es": "evolved_lstm"}.get(nothing, "bilstm"))
    changes = {"no trials": {"trials": 0}, "no space": {"space": {}}}.get(nothing, {})
    asked = PARAMS.search.model_copy(update=changes)
    folders = {"tokens": tokens, "pretrained": tmp_path / "pretrained", "work": tmp_path / "work"}
    report = search("bilstm", model, asked, PARAMS.trainer, **folders)
    assert report == {"architecture": "bilstm", "best": {}, "trials": []}
    assert not (tmp_path / "work").exists()
