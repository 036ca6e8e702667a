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
    """SIGTERM, by which a cluster ends a job, ends the block as Ctrl-C does."""

    def interrupt(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def serve(launcher: int) -> None:
    """Make this process a worker: Ctrl-C is its launcher's to see to, and it does not outlive its launcher.

    Args:
        launcher: the launcher's process number. One that was killed would leave a worker that trains on unseen.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches the whole group
    threading.Thread(target=_die_with, args=(launcher,), daemon=True).start()


def _die_with(launcher: int) -> None:
    while os.getppid() == launcher:
        time.sleep(0.5)
    os._exit(1)
