"""Experiments side by side: a process for each GPU, or for each core of the CPU."""

import multiprocessing
import os
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.queues import Queue
from pathlib import Path

from sentiment_rnn.claims.experiment import Experiment, Setting, run
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.devices import cores, gpus


def run_all(
    experiments: Sequence[Experiment], setting: Setting, workers: int | str
) -> Iterator[tuple[Experiment, str]]:
    """Run experiments in their order, as many at a time as there are workers.

    Args:
        experiments: none of which has been done.
        setting: where they run.
        workers: `auto`: one a GPU, else one a core.

    Yields:
        An experiment that has ended, and the id of its MLflow run.

    Raises:
        UserError: a worker was killed, or met a mistake of the user's.
    """
    devices = gpus(setting.trainer)
    count = min(len(experiments), (len(devices) or cores()) if workers == "auto" else int(workers))
    context = multiprocessing.get_context("spawn")
    free = context.Queue()
    for index in range(count):
        free.put((index, devices[index % len(devices)] if devices else None))
    os.environ["OMP_NUM_THREADS"] = str(max(1, cores() // count))  # the workers read it when they load torch
    arguments = (free, setting.work, os.getpid())
    with ProcessPoolExecutor(count, context, _begin, arguments) as pool:
        waiting = {pool.submit(run, experiment, setting): experiment for experiment in experiments}
        try:
            for future in as_completed(waiting):
                yield waiting[future], future.result()
        except BrokenProcessPool:
            raise UserError("a worker was killed; the same command goes on from there") from None
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def _begin(free: "Queue[tuple[int, str | None]]", work: Path, launcher: int) -> None:
    """A worker takes a device, writes what it says to a log of its own, and does not outlive its launcher."""
    index, device = free.get()
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    log = (work / f"worker-{index}.log").open("a", buffering=1)
    sys.stdout = sys.stderr = log
    threading.Thread(target=_die_with, args=(launcher,), daemon=True).start()


def _die_with(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(0.5)
    os._exit(1)
