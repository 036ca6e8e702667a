"""Slots in processes of this machine: their results, their deaths, their environment."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import psutil
import pytest
import slot_tasks

from sentiment_rnn.execution import Engine, Outcome, WorkerDiedError, open_engine
from sentiment_rnn.execution.local import LocalEngine

T = TypeVar("T")


def wait_for(condition: Callable[[], T]) -> T:
    deadline = time.monotonic() + 60
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def outcome(engine: Engine) -> Outcome:
    """That of the only busy slot."""
    (only,) = wait_for(engine.poll)
    return only


def workers() -> list[psutil.Process]:
    """Processes of slots: children of this one, without multiprocessing's resource tracker."""
    alive = [child for child in psutil.Process().children() if child.status() != psutil.STATUS_ZOMBIE]
    return [child for child in alive if "spawn_main" in " ".join(child.cmdline())]


def test_a_slot_is_one_process_that_outlives_errors_and_is_replaced_when_it_dies(tmp_path):
    with LocalEngine(2, [], 2, tmp_path) as engine:
        engine.free.pop()  # one slot does
        engine.submit(1, slot_tasks.square, 3)
        assert not engine.has_room()
        key, (value, process), error = outcome(engine)
        assert (key, value, error) == (1, 9, None)
        assert process != os.getpid()
        engine.submit(2, slot_tasks.fail, "a wrong value")
        assert str(outcome(engine).error) == "a wrong value"
        engine.submit(3, slot_tasks.square, 4)
        assert outcome(engine).value == (16, process), "libraries and data stay loaded"

        for key, killer in enumerate((slot_tasks.die, slot_tasks.fail_unpicklably), 4):
            engine.submit(key, killer)
            died = outcome(engine)
            assert isinstance(died.error, WorkerDiedError)
            assert "worker-1.log" in str(died.error)
        engine.submit(6, slot_tasks.square, 5)
        value, replaced = outcome(engine).value
        assert value == 25
        assert replaced != process
        engine.submit(7, slot_tasks.write)
        outcome(engine)
        psutil.Process(replaced).kill()  # while it is idle
        wait_for(lambda: not workers())
        engine.submit(8, slot_tasks.square, 6)
        died = outcome(engine)
        assert died.error is None or isinstance(died.error, WorkerDiedError)
        engine.submit(9, slot_tasks.square, 6)
        assert outcome(engine).value[0] == 36
    assert (tmp_path / "worker-1.log").read_text() == "an output\n"
    assert not workers()


def test_the_end_of_the_block_ends_a_busy_worker(tmp_path):
    start = time.monotonic()
    with LocalEngine(2, [], 2, tmp_path) as engine:
        engine.submit(1, slot_tasks.sleep, 100)
        engine.submit(2, slot_tasks.square, 1)
        assert outcome(engine).key == 2, "one runs on"
    assert time.monotonic() - start < 30
    assert not workers()


SCRIPT = f"""
import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})
from pathlib import Path
import psutil, slot_tasks, time
from sentiment_rnn.execution.local import LocalEngine
if __name__ == "__main__":
    with LocalEngine(2, [], 2, Path(".")) as engine:
        for key in (1, 2):
            engine.submit(key, slot_tasks.sleep, 100)
        print(*(child.pid for child in psutil.Process().children()), flush=True)
        time.sleep(100)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGINT])
def test_workers_end_with_their_parent(tmp_path, number):
    """Also with one that is killed, and also while they start; Ctrl-C, which reaches them too, is their parent's."""
    (tmp_path / "script.py").write_text(SCRIPT)
    parent = subprocess.Popen(
        [sys.executable, "script.py"], cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        start_new_session=True, preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )  # fmt: skip
    assert parent.stdout
    children = [psutil.Process(int(pid)) for pid in parent.stdout.readline().split()]
    assert len(children) == 3, "two workers, and multiprocessing's resource tracker"
    if number == signal.SIGKILL:
        parent.kill()
    else:
        os.killpg(parent.pid, number)
    _, errors = parent.communicate(timeout=60)
    assert parent.returncode == -number
    assert errors.count("Traceback") == (number == signal.SIGINT), "the parent's"
    _, alive = psutil.wait_procs(children, timeout=30)
    assert not alive


def test_a_worker_has_its_device_and_threads_and_no_launcher(tmp_path, monkeypatch):
    """Lightning would take it for a rank of a distributed training."""
    variables = {"SLURM_PROCID": "3", "TORCHELASTIC_RUN_ID": "none", "OMPI_COMM_WORLD_RANK": "1", "RANK": "1"}
    variables |= {"LOCAL_RANK": "1", "WORLD_SIZE": "4", "MASTER_ADDR": "here"}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("OMPI_MCA_plm", "isolated")  # without it MPI, where it is installed, ends the process
    found, kept = [], ("CUDA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "OMPI_MCA_plm")
    with LocalEngine(2, ["0", "GPU-2"], 8, tmp_path) as engine:
        assert engine.describe() == "2 workers on 2 GPU"
        for key in range(2):  # the freed slot is at the end of the list, from where the next is taken
            engine.submit(key, slot_tasks.environment, *kept, *variables)
            found.append(outcome(engine).value)
            engine.free.reverse()
    assert sorted(each["CUDA_VISIBLE_DEVICES"] for each in found) == ["0", "GPU-2"]
    assert {each["OMP_NUM_THREADS"] for each in found} == {"4"}
    assert {each["OMPI_MCA_plm"] for each in found} == {"isolated"}
    assert not [name for each in found for name in variables if each[name]]


@pytest.mark.parametrize(
    ("slots", "most", "devices", "description"),
    [
        ("auto", 100, [], "8 workers, 1 thread each"),
        ("auto", 3, [], "3 workers, 2 threads each"),
        (2, 100, [], "2 workers, 4 threads each"),
        (16, 100, [], "16 workers, 1 thread each"),
        (4, 1, [], "1 worker, 8 threads each"),
        ("auto", 100, ["0", "1", "2"], "3 workers on 3 GPU"),
        (4, 100, ["0", "1"], "4 workers on 2 GPU"),
        ("auto", 1, ["0", "1"], "1 worker on 1 GPU"),
    ],
)
def test_slots_share_the_devices(tmp_path, slots, most, devices, description):
    with open_engine(slots, most, devices=devices, cores=8, logs=tmp_path) as engine:
        assert engine.describe() == description


def test_a_single_slot_is_this_process(tmp_path, monkeypatch):
    monkeypatch.setenv("SLURM_PROCID", "3")
    with open_engine(4, 1, devices=[], cores=8, logs=tmp_path) as engine:
        assert engine.has_room()
        engine.submit(1, slot_tasks.square, 3)
        assert outcome(engine) == (1, (9, os.getpid()), None)
        engine.submit(2, slot_tasks.fail, "a wrong value")
        assert isinstance(outcome(engine).error, ValueError)
        engine.submit(3, slot_tasks.environment, "SLURM_PROCID")
        assert outcome(engine).value == {"SLURM_PROCID": None}
        with pytest.raises(KeyboardInterrupt):  # Lightning's exit after Ctrl-C
            engine.submit(4, sys.exit, 1)
    assert not workers()


@pytest.mark.parametrize(("machine_has", "devices", "own"), [(1, ["0"], False), (4, ["2"], True)])
def test_a_single_slot_on_one_of_several_gpus_is_a_process_that_sees_only_that(
    tmp_path, monkeypatch, machine_has, devices, own
):
    monkeypatch.setattr("torch.cuda.device_count", lambda: machine_has)
    with LocalEngine(1, devices, 8, tmp_path) as engine:
        engine.submit(1, slot_tasks.environment, "CUDA_VISIBLE_DEVICES")
        assert (outcome(engine).value["CUDA_VISIBLE_DEVICES"] == "2") == own
