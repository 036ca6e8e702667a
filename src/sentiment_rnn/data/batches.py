"""Padded batches of token ids, the same in training, in evaluation and in the registered model.

A batch holds reviews of similar length, padded to one of `NUM_BUCKETS` widths: a CPU builds its kernels once per shape,
and few steps are spent on padding.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Sampler

from sentiment_rnn.data.corpus import PAD, UNKNOWN

NUM_BUCKETS = 16  # padded widths: the CPU's kernels are compiled once for each


class Encoding(NamedTuple):
    """How a model reads token ids: the size of its vocabulary, truncation and padding."""

    vocab_size: int
    max_length: int
    truncation: str  # head | tail | head_tail
    padding: str  # post (masked) | pre (to max_length, read like tokens, as after Keras's pad_sequences)


class Batch(NamedTuple):
    """A padded batch: `ids` `(T, B)`, `lengths` `(B,)`, `labels` `(B,)` of 0.0 and 1.0."""

    ids: Tensor
    lengths: Tensor
    labels: Tensor


def truncate(ids: np.ndarray, max_length: int, how: str) -> np.ndarray:
    """At most `max_length` ids of a review: its `head`, its `tail`, or `head_tail` (a quarter head, the rest tail)."""
    if len(ids) <= max_length:
        return ids
    if how == "head":
        return ids[:max_length]
    if how == "tail":
        return ids[-max_length:]
    head = max_length // 4
    return np.concatenate([ids[:head], ids[len(ids) - (max_length - head) :]])


def bucket_width(length: np.ndarray | int, encoding: Encoding) -> np.ndarray:
    """The width to which a review of `length` tokens is padded: it depends on no other review of the batch."""
    if encoding.padding == "pre":
        return np.full_like(length, encoding.max_length)
    step = -(-encoding.max_length // NUM_BUCKETS)
    return np.minimum(-(-np.minimum(length, encoding.max_length) // step) * step, encoding.max_length)


def pad(reviews: Sequence[np.ndarray], encoding: Encoding) -> tuple[Tensor, Tensor]:
    """Truncate and pad reviews to one batch.

    Args:
        reviews: ids of each review `(n,)`, n > 0.
        encoding: truncation, padding and vocabulary.

    Returns:
        ids `(T, B)` int64 and lengths `(B,)` int64. Ids beyond the model's vocabulary become `UNKNOWN`.
    """
    truncated = [truncate(ids, encoding.max_length, encoding.truncation) for ids in reviews]
    lengths = np.array([len(ids) for ids in truncated])
    padded = np.full((len(truncated), int(bucket_width(lengths, encoding).max())), PAD, dtype=np.int64)
    for row, ids in zip(padded, truncated, strict=True):
        if encoding.padding == "pre":
            row[len(row) - len(ids) :] = ids
        else:
            row[: len(ids)] = ids
    padded[padded >= encoding.vocab_size] = UNKNOWN
    if encoding.padding == "pre":
        lengths = np.full_like(lengths, padded.shape[1])
    return torch.from_numpy(padded).t().contiguous(), torch.from_numpy(lengths)


class BucketBatchSampler(Sampler[list[int]]):
    """Batches of row numbers whose reviews have the same padded width, shuffled by (seed, epoch).

    Each rank takes an equal part of every batch, so a step of several ranks reads the same reviews as a step of one
    process, all of the same width. The remainder of a batch that does not divide among the ranks is skipped.

    Args:
        lengths: `(N,)` tokens of each review, untruncated.
        encoding: gives the widths.
        batch_size: reviews in a batch of all ranks together; the last of each width may be smaller.
        seed: None: the rows in order of width, not shuffled, for evaluation.
        rank: index of this process.
        world_size: number of processes.
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
        """Select the shuffle of an epoch. Lightning calls it, so that a resumed epoch has the same batches."""
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
            if size := len(batch) // self.world_size:
                yield batch[self.rank * size : (self.rank + 1) * size].tolist()
