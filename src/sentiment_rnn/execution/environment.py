"""Signals and environment variables of a job and its workers."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

LAUNCHERS = ("SLURM_", "TORCHELASTIC_", "OMPI_", "PMI_")
RANKS = {
    "RANK", "LOCAL_RANK", "GROUP_RANK", "NODE_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
}  # fmt: skip


def forget_launchers() -> None:
    """Remove the variables of SLURM, torchrun and MPI: Lightning would take a worker for a rank of one training."""
    for name in list(os.environ):
        if name.startswith(LAUNCHERS) or name in RANKS:
            del os.environ[name]


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
