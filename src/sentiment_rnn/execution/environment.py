"""Signals, environment variables and garbage collection of a command and its workers."""

import atexit
import gc
import getpass
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

COLLECT_AFTER = 20_000  # objects; Python's default is 700
REPEAT_SECONDS = 0.05  # until a signal that arrived in a transaction is sent again


def set_defaults() -> None:
    """Set that without which this and other programs fail or are slow; before torch is imported."""
    # Imports make a million objects, all of which stay. To look for garbage among them, again and again and once more
    # at exit, takes a third of a stage's start.
    gc.set_threshold(COLLECT_AFTER)
    atexit.register(gc.freeze)
    # GNU OpenMP's threads spin while they wait for one another: where another program occupies a core, a training step
    # takes up to a hundred times as long. With so short a spin it takes 2 to 3 times as long, and on an idle machine no
    # longer. The library reads it when torch loads it.
    os.environ.setdefault("GOMP_SPINCOUNT", "1000")
    try:
        getpass.getuser()
    except (KeyError, OSError):  # a container may run under a user id without a name: DVC and MLflow ask for the name
        os.environ["LOGNAME"] = str(os.getuid())


@contextmanager
def interruptible() -> Iterator[None]:
    """Within the block Ctrl-C, and SIGTERM, with which a cluster ends a job, raise KeyboardInterrupt.

    Not within a transaction, which MLflow would leave open: it would lock the database out from all that follows.
    """

    def interrupt(number: int, frame: FrameType | None) -> None:
        while frame:
            if frame.f_globals.get("__name__", "").partition(".")[0] in ("mlflow", "sqlalchemy"):
                again = threading.Timer(REPEAT_SECONDS, os.kill, (os.getpid(), number))
                again.daemon = True
                again.start()
                return
            frame = frame.f_back
        raise KeyboardInterrupt

    before = [(number, signal.signal(number, interrupt)) for number in (signal.SIGINT, signal.SIGTERM)]
    try:
        yield
    finally:
        for number, handler in before:
            signal.signal(number, handler)
