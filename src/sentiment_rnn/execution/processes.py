"""A launcher and its worker processes: how they end together."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block SIGTERM, with which a cluster ends a job, raises KeyboardInterrupt as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def serve(launcher: int) -> None:
    """Make this process a worker: it ignores Ctrl-C, which its launcher handles, and ends with its launcher.

    Args:
        launcher: the launcher's process number. A worker whose launcher was killed would train on unnoticed.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    threading.Thread(target=_exit_with, args=(launcher,), daemon=True).start()


def _exit_with(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(0.5)
    os._exit(1)
