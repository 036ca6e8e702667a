"""How many workers there are and on which devices, and what happens when they die."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from local_study import PARAMS, LocalStudy

from sentiment_rnn.errors import UserError
from sentiment_rnn.search import launch, stage
from sentiment_rnn.search.launch import Workers


@pytest.fixture
def study(client, tokens) -> LocalStudy:
    return LocalStudy(client, tokens)


@pytest.mark.parametrize(
    ("workers", "missing", "count", "threads"),
    [("auto", 100, 8, 1), ("auto", 3, 3, 2), (2, 100, 2, 4), (16, 100, 16, 1), (4, 1, 1, 8)],
)
def test_workers_share_the_cores(study, monkeypatch, workers, missing, count, threads):
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(8)), raising=False)
    search = study.search.model_copy(update={"params": study.search.params.model_copy(update={"workers": workers})})
    made = Workers(search, [], study.work, missing)
    assert (made.count, made.threads) == (count, threads)


PRINT_RECEIVED = """
import os, sys
print(os.environ["CUDA_VISIBLE_DEVICES"], [key for key in os.environ if key.startswith("SLURM")])
print(sys.stdin.read())
"""


def test_each_worker_has_one_gpu_as_its_only_device_and_no_batch_system(client, tokens, monkeypatch):
    """`trainer.devices: [0, 2]` of three GPUs: a worker sees one of them, whose index there is 0."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("SLURM_PROCID", "3")
    start = subprocess.Popen
    monkeypatch.setattr(
        subprocess, "Popen", lambda _, **options: start([sys.executable, "-c", PRINT_RECEIVED], **options)
    )
    logs = {}

    def no_trials(self: Workers, finished: int) -> bool:
        for index, process in enumerate(self.processes):
            process.wait()
            logs[index] = self._log(index).read_text().splitlines()
        return False

    monkeypatch.setattr(Workers, "check", no_trials)
    trainer = PARAMS.trainer.model_copy(update={"accelerator": "auto", "devices": [0, 2], "precision": "32-true"})
    folders = {"tokens": tokens, "word_vectors": Path("none"), "work": Path("work")}
    params = PARAMS.search.model_copy(update={"workers": "auto"})
    launch.launch("bilstm", PARAMS.model_of("bilstm"), params, trainer, **folders)
    assert {lines[0] for lines in logs.values()} == {"0 []", "2 []"}
    assert [json.loads(lines[1])["trainer"]["devices"] for lines in logs.values()] == [1, 1]


class Sleepers(Workers):
    """Workers that do nothing until they are killed."""

    started = 0

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        self.started += 1
        return subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])


def kill(workers: Workers) -> None:
    workers.processes[0].send_signal(signal.SIGKILL)
    workers.processes[0].wait()


def test_a_killed_worker_is_restarted_until_too_many_die_in_a_row(study):
    with Sleepers(study.search, [], study.work, 1) as workers:
        for _ in range(launch.MAX_DEATHS):
            kill(workers)
            assert workers.check(0)
        assert workers.started == launch.MAX_DEATHS + 1
        for _ in range(launch.MAX_DEATHS):
            kill(workers)
            assert workers.check(1), "a trial has finished in between"
        kill(workers)
        with pytest.raises(UserError, match=r"died 6 times .* memory"):
            workers.check(1)
        processes = workers.processes
    assert all(process.poll() is not None for process in processes), "none outlives the block"


@pytest.mark.parametrize("message", ["error: data/tokens is missing", "ValueError: it is broken"])
def test_the_error_of_a_failing_worker_is_quoted(study, message):
    class Failing(Workers):
        def _start(self, index: int) -> subprocess.Popen[bytes]:
            self._log(index).write_text(f"output\n{message}\n\n")
            return subprocess.Popen([sys.executable, "-S", "-c", "raise SystemExit(1)"])

    with Failing(study.search, [], study.work, 1) as workers:
        if not message.startswith("error"):  # a bug, or a device out of memory: other values may do better
            for _ in range(launch.MAX_DEATHS):
                workers.processes[0].wait()
                workers.check(0)
        workers.processes[0].wait()
        with pytest.raises(UserError, match=message.removeprefix("error: ")):
            workers.check(0)


@pytest.mark.parametrize("why", ["protocol", "no trials", "no space", "cma_es", "other cell", "not listed"])
def test_without_anything_to_search_the_values_of_params_are_used(tmp_path, monkeypatch, why):
    monkeypatch.chdir(tmp_path)
    name = {"protocol": "bilstm_keras", "cma_es": "evolved_lstm", "not listed": "gru"}.get(why, "bilstm")
    leak_rate = PARAMS.search.space["dropout"].model_copy(update={"low": 0.1})
    changes = {
        "no trials": {"n_trials": 0},
        "no space": {"space": {}},
        "other cell": {"space": {"echo_state.leak_rate": leak_rate}},
    }
    listed = [] if why == "not listed" else [name]
    search = PARAMS.search.model_copy(update={"architectures": listed, **changes.get(why, {})})
    stage.run(name, PARAMS.model_copy(update={"search": search}))
    assert json.loads(Path("searches", f"{name}.json").read_text()) == {}
    assert json.loads(Path("reports/search", f"{name}.json").read_text())["trials"] == []
    assert not Path("work").exists()
