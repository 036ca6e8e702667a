"""The tokenized splits as a LightningDataModule."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from sentiment_rnn.data.batches import Batch, BucketBatchSampler, Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.params.model import AugmentationParams
from sentiment_rnn.training.augmentation.generate import generate, spans

EVALUATION_BATCH = 256


class Protocol(NamedTuple):
    """The training splits, the split evaluated after each epoch, and whether that selects the epoch."""

    train_splits: list[str]
    eval_split: str
    selects_epoch: bool


PROTOCOLS = {
    "holdout": Protocol(["train"], "validation", selects_epoch=True),
    "keras_reference": Protocol(["train", "validation"], "test", selects_epoch=False),
    "distillation": Protocol(["unsupervised"], "validation", selects_epoch=True),  # with pseudo-labels
    "refit": Protocol(["train", "validation"], "validation", selects_epoch=False),  # validation has been learned
}


def loader(reviews: TokenizedReviews, batches: BucketBatchSampler) -> DataLoader[Batch]:
    """Loads whole batches in this process: a worker process would only copy the memory-mapped ids."""
    # the loader draws a seed from its generator; from torch's global one that would change dropout in a resumed epoch
    return DataLoader(reviews, sampler=batches, batch_size=None, generator=torch.Generator())


class ReviewsDataModule(pl.LightningDataModule):
    """Batches of tokenized reviews.

    Args:
        folder: written by the tokenize stage.
        encoding: vocabulary size, length, truncation and padding.
        batch_size: reviews per step, over all ranks.
        protocol: a key of `PROTOCOLS`.
        seed: of the order of the batches.
        train_fraction: fraction of the training reviews.
        labels: `(N,)` from 0 to 1, replace those of the training reviews and, after them, are those of the spans.
        augmentation: short texts that are trained on beside the reviews; None: there are none.
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
        augmentation: AugmentationParams | None = None,
    ) -> None:
        super().__init__()
        self.batch_size = batch_size
        self.seed = seed
        self.train = TokenizedReviews(folder, PROTOCOLS[protocol].train_splits, encoding)
        self.eval_set = TokenizedReviews(folder, [PROTOCOLS[protocol].eval_split], encoding)
        if augmentation and augmentation.spans and protocol == "distillation":
            self.train.append(spans(Path(folder), augmentation.spans), np.zeros(augmentation.spans))
        if labels is not None:
            if len(labels) != len(self.train):
                raise UserError(f"{len(labels):,} labels for the {len(self.train):,} reviews in {folder}")
            self.train.labels = labels.astype(np.float32)
        if train_fraction < 1:
            self.train.subsample(train_fraction, seed)
        if augmentation and augmentation.fraction:
            count = round(len(self.train) * augmentation.fraction / (1 - augmentation.fraction))
            generated = generate(Path(folder), augmentation.kinds, count, seed)
            if generated.ids:
                self.train.append(generated.ids, generated.labels)

    def train_dataloader(self) -> DataLoader[Batch]:
        """This rank's share of each epoch's batches."""
        world_size = self.trainer.world_size if self.trainer else 1
        rank = self.trainer.global_rank if self.trainer else 0
        if self.batch_size % world_size:
            raise UserError(f"params.yaml: batch_size: {self.batch_size} is not divisible by {world_size} processes")
        batches = BucketBatchSampler(
            self.train.lengths,
            self.train.encoding,
            self.batch_size,
            self.seed,
            rank,
            world_size,
        )
        return loader(self.train, batches)

    def val_dataloader(self) -> DataLoader[Batch]:
        """All evaluated reviews, on every rank: a distributed sampler would repeat some and bias the metric."""
        batches = BucketBatchSampler(self.eval_set.lengths, self.eval_set.encoding, EVALUATION_BATCH)
        return loader(self.eval_set, batches)
