"""The tokenized splits as Lightning wants them."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from sentiment_rnn.data.batches import Batch, Encoding, LengthBatches
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError

EVALUATION_BATCH = 256


class Protocol(NamedTuple):
    """The splits that are trained on, the one that is scored after each epoch, and whether that chooses the epoch."""

    trained: list[str]
    scored: str
    chooses: bool


PROTOCOLS = {
    "holdout": Protocol(["train"], "validation", chooses=True),
    "document": Protocol(["train", "validation"], "test", chooses=False),
    "taught": Protocol(["unsupervised"], "validation", chooses=True),  # with a teacher's labels
    "refit": Protocol(["train", "validation"], "validation", chooses=False),  # what is scored has been learned
}


def loader(reviews: TokenizedReviews, batches: LengthBatches) -> DataLoader[Batch]:
    """Whole batches, straight from the memory-mapped ids: a worker process would only send them on."""
    # a loader draws a seed from its generator; from torch's own it would shift what dropout drops in a resumed epoch
    return DataLoader(reviews, sampler=batches, batch_size=None, generator=torch.Generator())


class ReviewsDataModule(pl.LightningDataModule):
    """Batches of tokenized reviews.

    Args:
        folder: what the tokenize stage wrote.
        encoding: how the model reads a review.
        batch_size: reviews a step, over all ranks together.
        protocol: a key of `PROTOCOLS`.
        seed: decides the order of the batches.
        train_fraction: share of the training reviews to use.
        labels: `(N,)` from 0 to 1, take the place of those of the training reviews.
    """

    def __init__(
        self,
        folder: str | Path,
        encoding: Encoding,
        batch_size: int,
        protocol: str,
        seed: int,
        train_fraction: float = 1.0,
        labels: np.ndarray | None = None,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed
        self.train = TokenizedReviews(folder, PROTOCOLS[protocol].trained, encoding)
        self.scored = TokenizedReviews(folder, [PROTOCOLS[protocol].scored], encoding)
        if labels is not None:
            if len(labels) != len(self.train):
                raise UserError(f"{len(labels):,} labels for the {len(self.train):,} reviews in {folder}")
            self.train.labels = labels.astype(np.float32)
        if train_fraction < 1:
            self.train.keep(train_fraction, seed)

    def train_dataloader(self) -> DataLoader[Batch]:
        """This rank's share of each epoch's batches."""
        world_size = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        if self.batch_size % world_size:
            raise UserError(f"params.yaml: batch_size {self.batch_size} does not divide among {world_size} processes")
        batches = LengthBatches(
            self.train.lengths,
            self.train.encoding,
            self.batch_size,
            self.seed,
            rank,
            world_size,
        )
        return loader(self.train, batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All scored reviews, on every rank: a distributed sampler would repeat some and bend the metric."""
        return loader(self.scored, LengthBatches(self.scored.lengths, self.scored.encoding, EVALUATION_BATCH))
