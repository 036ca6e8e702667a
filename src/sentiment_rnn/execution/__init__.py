"""Runs functions on slots: processes of this machine, each on one device, or the actors of a Ray cluster.

with open_engine("auto", most=10, devices=[], cores=2, logs=Path("work")) as engine:
    if engine.has_room():
        engine.submit(key, function, argument)
    for key, value, error in engine.poll():  # what has ended since
        ...
"""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from sentiment_rnn.execution.engine import Engine, Outcome, WorkerDiedError
from sentiment_rnn.execution.local import LocalEngine

__all__ = ["Engine", "Outcome", "WorkerDiedError", "open_engine"]


def open_engine(slots: int | Literal["auto"], most: int, *, devices: Sequence[str], cores: int, logs: Path) -> Engine:
    """The Ray cluster that RAY_ADDRESS names, else processes of this machine.

    Args:
        slots: how many functions run at a time; `auto`: one per GPU, else one per core, of the machine or the cluster.
        most: functions there are to run: more slots than these are not started.
        devices: this machine's GPUs, as CUDA_VISIBLE_DEVICES names them; empty: the CPU.
        cores: of this machine.
        logs: folder for the output of this machine's processes.

    Raises:
        UserError: the Ray cluster does not respond, or Ray is not installed.
    """
    if address := os.environ.get("RAY_ADDRESS"):
        from sentiment_rnn.execution.ray import RayEngine

        return RayEngine(address, most if slots == "auto" else min(slots, most))
    return LocalEngine(min(len(devices) or cores if slots == "auto" else slots, most), devices, cores, logs)
