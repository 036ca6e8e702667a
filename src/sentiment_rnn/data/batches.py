"""Token ids to padded tensors, the same way in training, in evaluation and behind the served model.

A batch holds reviews of about one length and is padded to one of a few fixed widths: a CPU's kernels are built
once a shape, and little is spent on padding.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from sentiment_rnn.data.corpus import PAD, UNKNOWN

NUM_BUCKETS = 16  # shapes a model may meet: each costs the CPU's kernels a compilation


class Encoding(NamedTuple):
    """What a model makes of a text's ids: which tokens it reads, and how they are padded."""

    vocab_size: int
    max_length: int
    truncation: str  # head | tail | both
    padding: str  # back (masked) | front (to max_length, read like tokens, as Keras's pad_sequences does)


class Batch(NamedTuple):
    """A padded batch: `ids` `(T, B)`, `lengths` `(B,)`, `labels` `(B,)` of 0.0 and 1.0."""

    ids: Tensor
    lengths: Tensor
    labels: Tensor


def truncate(ids: np.ndarray, max_length: int, how: str) -> np.ndarray:
    """At most `max_length` of a review's ids: its `head`, its `tail`, or `both` (a quarter head, the rest tail)."""
    if len(ids) <= max_length:
        return ids
    if how == "head":
        return ids[:max_length]
    if how == "tail":
        return ids[-max_length:]
    head = max_length // 4
    return np.concatenate([ids[:head], ids[len(ids) - (max_length - head) :]])


def bucket_width(length: np.ndarray | int, encoding: Encoding) -> np.ndarray:
    """The fixed width that a review of `length` tokens is padded to: a function of its own length alone."""
    if encoding.padding == "front":
        return np.full_like(length, encoding.max_length)
    step = -(-encoding.max_length // NUM_BUCKETS)
    return np.minimum(-(-np.minimum(length, encoding.max_length) // step) * step, encoding.max_length)


def pad(reviews: Sequence[np.ndarray], encoding: Encoding) -> tuple[Tensor, Tensor]:
    """Truncate and pad reviews to one batch.

    Args:
        reviews: each review's ids, in reading order; none empty.
        encoding: how the model reads them.

    Returns:
        ids `(T, B)` int64 and lengths `(B,)` int64. Ids beyond the model's vocabulary become `UNKNOWN`.
    """
    kept = [truncate(ids, encoding.max_length, encoding.truncation) for ids in reviews]
    lengths = np.array([len(ids) for ids in kept])
    padded = np.full((len(kept), int(bucket_width(lengths, encoding).max())), PAD, dtype=np.int64)
    for row, ids in zip(padded, kept, strict=True):
        if encoding.padding == "front":
            row[len(row) - len(ids) :] = ids
        else:
            row[: len(ids)] = ids
    padded[padded >= encoding.vocab_size] = UNKNOWN
    if encoding.padding == "front":
        lengths = np.full_like(lengths, padded.shape[1])
    return torch.from_numpy(padded).t().contiguous(), torch.from_numpy(lengths)


class BucketBatchSampler(Sampler[list[int]]):
    """Batches of row numbers whose reviews share a width, in an order that (seed, epoch) decides.

    Under several ranks each takes its equal share of every batch: a step sees the very reviews that it would see in
    one process, and all ranks work on one width. What cannot be shared out equally, fewer reviews of a width than
    there are ranks, is left out of that epoch.

    Args:
        lengths: `(N,)` tokens of each review, untruncated.
        encoding: gives the widths.
        batch_size: reviews in a batch of all ranks together; the last of each width may be smaller.
        seed: None keeps the rows in order of width, for evaluation.
        rank: this process among
        world_size: processes.
    """

    def __init__(
        self,
        lengths: np.ndarray,
        encoding: Encoding,
        batch_size: int,
        seed: int | None = None,
        rank: int = 0,
        world_size: int = 1,
    ) -> None:
        self.widths = bucket_width(lengths, encoding)
        self.batch_size = batch_size
        self.seed = seed
        self.rank = rank
        self.world_size = world_size
        self.epoch = 0
        _, counts = np.unique(self.widths, return_counts=True)
        self.batches = int((counts // batch_size + (counts % batch_size >= world_size)).sum())

    def set_epoch(self, epoch: int) -> None:
        """Lightning calls this before each epoch; a resumed epoch thus meets the very batches it would have met."""
        self.epoch = epoch

    def __len__(self) -> int:
        return self.batches

    def __iter__(self) -> Iterator[list[int]]:
        rows = np.arange(len(self.widths))
        if self.seed is not None:
            random = np.random.default_rng((self.seed, self.epoch))
            random.shuffle(rows)
        rows = rows[np.argsort(self.widths[rows], kind="stable")]
        ends = np.flatnonzero(np.diff(self.widths[rows])) + 1
        batches = [
            group[start : start + self.batch_size]
            for group in np.split(rows, ends)
            for start in range(0, len(group), self.batch_size)
        ]
        if self.seed is not None:
            random.shuffle(batches)
        for batch in batches:
            if share := len(batch) // self.world_size:
                yield batch[self.rank * share : (self.rank + 1) * share].tolist()
