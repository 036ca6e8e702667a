"""Tokenized splits: Arrow files of `datasets`, read memory-mapped as padded batches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset

from sentiment_rnn.data.batches import Batch, Encoding, pad
from sentiment_rnn.data.checks import quantiles
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.errors import UserError


def save(ids: Sequence[np.ndarray], labels: np.ndarray, rows: np.ndarray, folder: Path) -> None:
    """Write reviews as columns `ids` (list of int32), `label` (int8) and `row` (int32, in the raw split)."""
    offsets = np.concatenate([[0], np.cumsum([len(review) for review in ids])]).astype(np.int32)
    column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(ids)))
    table = pa.table({"ids": column, "label": pa.array(labels, pa.int8()), "row": pa.array(rows, pa.int32())})
    datasets.Dataset(table).save_to_disk(folder)


def describe(ids: Sequence[np.ndarray]) -> dict[str, Any]:
    """Number of reviews and tokens, fraction of unknown tokens, quantiles of the reviews' lengths."""
    lengths = np.array([len(review) for review in ids])
    unknown = sum(int((review == UNKNOWN).sum()) for review in ids)
    return {
        "reviews": len(ids),
        "tokens": int(lengths.sum()),
        "unknown_fraction": round(unknown / int(lengths.sum()), 5),
        "length": quantiles(lengths),
    }


class TokenizedReviews(Dataset[Batch]):
    """Tokenized splits as a map-style data set; a list of row numbers selects one padded batch.

    Args:
        folder: of the tokenize stage.
        splits: their names; several are concatenated.
        encoding: how the model reads a review.

    Raises:
        UserError: a split is missing.
    """

    def __init__(self, folder: str | Path, splits: list[str], encoding: Encoding) -> None:
        for split in splits:
            if not (Path(folder) / split).is_dir():
                raise UserError(f"{folder}/{split} is missing: run `dvc repro tokenize` (or `dvc pull`)")
        tables = [datasets.load_from_disk(str(Path(folder) / split)).data.table for split in splits]
        table = pa.concat_tables(tables)
        # views of the memory-mapped files: only offsets are copied
        chunks = table["ids"].chunks
        self.ids = [chunk.values.to_numpy() for chunk in chunks]  # of each chunk, the concatenated ids of its reviews
        self.chunk = np.repeat(np.arange(len(chunks)), [len(chunk) for chunk in chunks])
        self.starts = np.concatenate([chunk.offsets.to_numpy()[:-1] for chunk in chunks])
        self.ends = np.concatenate([chunk.offsets.to_numpy()[1:] for chunk in chunks])
        self.labels = table["label"].to_numpy().astype(np.float32)
        self.encoding = encoding

    def subsample(self, fraction: float, seed: int) -> None:
        """Keep a random `fraction` of the reviews, the same one for the same seed."""
        size = max(1, round(fraction * len(self)))
        rows = np.sort(np.random.default_rng(seed).permutation(len(self))[:size])
        self.chunk, self.starts, self.ends = self.chunk[rows], self.starts[rows], self.ends[rows]
        self.labels = self.labels[rows]

    def append(self, ids: Sequence[np.ndarray], labels: np.ndarray) -> None:
        """Add texts after the reviews: token ids `(n,)` of each, labels `(N,)` from 0 to 1."""
        ends = np.cumsum([len(text) for text in ids])
        self.ids.append(np.concatenate(ids))
        self.chunk = np.append(self.chunk, np.full(len(ids), len(self.ids) - 1))
        self.starts = np.append(self.starts, np.append(0, ends[:-1]))
        self.ends = np.append(self.ends, ends)
        self.labels = np.append(self.labels, labels.astype(np.float32))

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each review before truncation, `(N,)`."""
        return self.ends - self.starts

    def token_ids(self, row: int) -> np.ndarray:
        """Stored ids of a review `(n,)`, neither truncated nor limited to the model's vocabulary."""
        ids: np.ndarray = self.ids[self.chunk[row]][self.starts[row] : self.ends[row]]
        return ids

    def __getitem__(self, rows: list[int]) -> Batch:
        ids, lengths = pad([self.token_ids(row) for row in rows], self.encoding)
        return Batch(ids, lengths, torch.from_numpy(self.labels[rows]))
