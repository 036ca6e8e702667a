"""Which process of a distributed training writes files and runs, and how all of them follow its decisions."""

import os
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_only

DECISION = "SENTIMENT_RNN_RESUME_FROM"  # environment variable by which the processes that Lightning starts are told


def is_rank_zero() -> bool:
    """Whether this process is rank zero, also before Lightning has set the others up."""
    if getattr(rank_zero_only, "rank", 0) not in (None, 0):
        return False
    # under Lightning's own multi-node variables the first process of each further node has no rank yet
    return int(os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or 0) == 0


def agree(trainer: pl.Trainer, decide: Callable[[], str | None]) -> str | None:
    """Rank zero's decision, in every process: their views of a shared file system may differ.

    Args:
        trainer: before its fit.
        decide: called by rank zero alone.
    """
    if trainer.world_size == 1:
        return decide()
    if not torch.distributed.is_initialized():  # the first fit of these processes
        if DECISION in os.environ:  # rank zero started this one
            return os.environ[DECISION] or None
        if not trainer.strategy.cluster_environment.creates_processes_externally:  # type: ignore[attr-defined]
            os.environ[DECISION] = decide() or ""  # rank zero is alone until its fit starts the others
            return os.environ[DECISION] or None
        trainer.strategy.setup_environment()  # torchrun or SLURM has started all of them
    decision: str | None = trainer.strategy.broadcast(decide() if trainer.is_global_zero else None)
    return decision
