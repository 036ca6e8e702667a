"""Slots on this machine: one process each, by the standard library; a single slot is this process itself."""

import multiprocessing
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from tqdm import tqdm

from sentiment_rnn.execution.engine import Engine, Slot, WorkerDiedError
from sentiment_rnn.execution.environment import REPEAT_SECONDS, set_defaults
from sentiment_rnn.execution.launchers import forget_launchers

SIGNALS = {signal.SIGINT, signal.SIGTERM}


class LocalEngine(Engine):
    """Processes of this machine, which share its devices and cores equally: see `open_engine`."""

    def __init__(self, slots: int, devices: Sequence[str], cores: int, logs: Path) -> None:
        super().__init__()
        self.slots, self.devices, self.threads = slots, devices, max(1, cores // slots)
        if slots == 1 and (not devices or _is_only_gpu()):
            self.free = [InlineSlot()]
        for index in reversed(range(0 if self.free else slots)):
            device = devices[index % len(devices)] if devices else None
            self.free.append(LocalSlot(self.threads, device, logs / f"worker-{index}.log"))

    def describe(self) -> str:
        workers = f"{self.slots} worker{'s' * (self.slots > 1)}"
        if self.devices:
            return f"{workers} on {min(self.slots, len(self.devices))} GPU"
        return f"{workers}, {self.threads} thread{'s' * (self.threads > 1)} each"


def _is_only_gpu() -> bool:
    import torch  # not above: a worker imports this module before `_start_worker` sets torch's threads

    return torch.cuda.device_count() == 1


class InlineSlot(Slot):
    """This process: a short job starts no second one."""

    def __init__(self) -> None:
        forget_launchers()

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        try:
            self.outcome: tuple[Any, Exception | None] = (function(*arguments), None)
        except SystemExit as error:  # Lightning turns Ctrl-C and SIGTERM into an exit
            with suppress(KeyboardInterrupt):
                time.sleep(2 * REPEAT_SECONDS)  # while `interruptible` may repeat the signal
            raise KeyboardInterrupt from error
        except Exception as error:
            self.outcome = (None, error)

    def result(self) -> tuple[Any, Exception | None]:
        return self.outcome

    def close(self) -> None:
        pass


class LocalSlot(Slot):
    """A process of its own. Its death is this slot's alone: an executor with several workers would break as a whole.

    Args:
        threads: of torch's CPU kernels.
        device: the GPU, as CUDA_VISIBLE_DEVICES names it; None: the CPU.
        log: file for its output.
    """

    def __init__(self, threads: int, device: str | None, log: Path) -> None:
        self.arguments = (threads, device, log)
        self.executor: ProcessPoolExecutor | None = None

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        if self.executor is None:
            spawn = multiprocessing.get_context("spawn")
            worker_end, self.lifeline = spawn.Pipe(duplex=False)
            start = (worker_end, *self.arguments)
            self.executor = ProcessPoolExecutor(1, spawn, initializer=_start_worker, initargs=start)
        # The process inherits the blocked signals: Ctrl-C and a batch system's SIGTERM reach every process of the job,
        # and this one handles them.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
        try:
            self.future: Future[Any] = self.executor.submit(function, *arguments)
        except BrokenProcessPool:  # the process died while it was idle
            self.close()
            self.submit(function, *arguments)
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)

    def result(self) -> tuple[Any, Exception | None] | None:
        if not self.future.done():
            return None
        error = self.future.exception()
        if isinstance(error, BrokenProcessPool):
            self.close()
            return None, WorkerDiedError(f"its process died; its output: {self.arguments[-1]}")
        if error is not None:
            return None, error if isinstance(error, Exception) else RuntimeError(repr(error))
        return self.future.result(), None

    def close(self) -> None:
        if self.executor is not None:
            self.lifeline.close()
            self.executor.shutdown(cancel_futures=True)
            self.executor = None


def _start_worker(lifeline: Connection, threads: int, device: str | None, log: Path) -> None:
    """Make this process a worker, before it imports torch: its device, its output, its end with its parent."""
    set_defaults()
    forget_launchers()
    os.environ["OMP_NUM_THREADS"] = str(threads)
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    log.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout = sys.stderr = log.open("a", buffering=1, encoding="utf-8")
    os.dup2(sys.stdout.fileno(), 1)
    os.dup2(sys.stdout.fileno(), 2)
    tqdm.set_lock(threading.RLock())  # its own is a semaphore, of whose leak Python warns after a kill
    threading.Thread(target=_exit_with_parent, args=(lifeline,), daemon=True).start()


def _exit_with_parent(lifeline: Connection) -> None:
    with suppress(EOFError):
        lifeline.recv()  # nothing is ever sent: the parent has closed its end, or has died
    os._exit(1)
