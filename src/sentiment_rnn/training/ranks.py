"""Rank zero of a distributed training, and its decisions in all processes."""

import os
from collections.abc import Callable

import pytorch_lightning as pl
import torch
from pytorch_lightning.utilities import rank_zero_only


def is_rank_zero() -> bool:
    """Whether this process is rank zero, also before the processes are connected."""
    if getattr(rank_zero_only, "rank", 0) not in (None, 0):
        return False
    # if Lightning starts each node's processes, a further node's first process has no rank before its first fit
    return int(os.environ.get("NODE_RANK") or os.environ.get("GROUP_RANK") or 0) == 0


def rank_zero_decision(trainer: pl.Trainer, decide: Callable[[], str | None]) -> str | None:
    """Rank zero's decision, in every process: they may see different states of a shared file system.

    All processes are started and connected if they are not yet.

    Args:
        trainer: before its fit.
        decide: called by rank zero only.
    """
    if trainer.world_size == 1:
        return decide()
    if not torch.distributed.is_initialized():
        # what `fit` does first; the launcher starts the other processes once, and none under torchrun and SLURM
        trainer.strategy.launcher.launch(trainer.strategy.setup_environment)  # type: ignore[union-attr]
    decision: str | None = trainer.strategy.broadcast(decide() if trainer.is_global_zero else None)
    return decision
