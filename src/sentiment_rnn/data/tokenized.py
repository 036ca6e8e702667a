"""Tokenized splits: written as Arrow files of `datasets`, read memory-mapped as padded batches."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset

from sentiment_rnn.data.batches import Batch, Encoding, pad
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.errors import UserError


def save(ids: Sequence[np.ndarray], labels: np.ndarray, rows: np.ndarray, folder: Path) -> None:
    """Write reviews as columns `ids` (list of int32), `label` (int8) and `row` (int32, in the raw split)."""
    offsets = np.concatenate([[0], np.cumsum([len(review) for review in ids])]).astype(np.int32)
    column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate(ids)))
    table = pa.table({"ids": column, "label": pa.array(labels, pa.int8()), "row": pa.array(rows, pa.int32())})
    datasets.Dataset(table).save_to_disk(folder)


def describe(ids: Sequence[np.ndarray]) -> dict[str, Any]:
    """Reviews, tokens, the share of unknown ones, and quantiles of a review's length."""
    lengths = np.array([len(review) for review in ids])
    unknown = sum(int((review == UNKNOWN).sum()) for review in ids)
    quantiles = {f"q{int(q * 100):02d}": int(np.quantile(lengths, q)) for q in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)}
    return {
        "reviews": len(ids),
        "tokens": int(lengths.sum()),
        "unknown_share": round(unknown / int(lengths.sum()), 5),
        "length": quantiles,
    }


class TokenizedReviews(Dataset[Batch]):
    """Splits, read where they lie: indexed by a list of rows, they give them as one padded batch.

    Args:
        folder: where `save` wrote the splits.
        splits: their names; several are read as one.
        encoding: how the model reads a review.

    Raises:
        UserError: there is no such split.
    """

    def __init__(self, folder: str | Path, splits: list[str], encoding: Encoding) -> None:
        for split in splits:
            if not (Path(folder) / split).is_dir():
                raise UserError(f"{folder}/{split} is not there: run `dvc repro tokenize` (or `dvc pull`)")
        tables = [datasets.load_from_disk(str(Path(folder) / split)).data.table for split in splits]
        table = pa.concat_tables(tables)
        # views of the mapped files: nothing but offsets is copied
        chunks = table["ids"].chunks
        self.ids = [chunk.values.to_numpy() for chunk in chunks]  # of each chunk, its reviews' ids end to end
        self.chunk = np.repeat(np.arange(len(chunks)), [len(chunk) for chunk in chunks])
        self.starts = np.concatenate([chunk.offsets.to_numpy()[:-1] for chunk in chunks])
        self.ends = np.concatenate([chunk.offsets.to_numpy()[1:] for chunk in chunks])
        self.labels = table["label"].to_numpy().astype(np.float32)
        self.encoding = encoding

    def subsample(self, fraction: float, seed: int) -> None:
        """Leave only a random `fraction` of the reviews, the same one for the same seed."""
        size = max(1, round(fraction * len(self)))
        rows = np.sort(np.random.default_rng(seed).permutation(len(self))[:size])
        self.chunk, self.starts, self.ends = self.chunk[rows], self.starts[rows], self.ends[rows]
        self.labels = self.labels[rows]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def lengths(self) -> np.ndarray:
        """Tokens of each whole review, `(N,)`."""
        return self.ends - self.starts

    def token_ids(self, row: int) -> np.ndarray:
        """A review's ids as they lie there, `(n,)`: neither truncated nor cut to the model's vocabulary."""
        ids: np.ndarray = self.ids[self.chunk[row]][self.starts[row] : self.ends[row]]
        return ids

    def __getitem__(self, rows: list[int]) -> Batch:
        ids, lengths = pad([self.token_ids(row) for row in rows], self.encoding)
        return Batch(ids, lengths, torch.from_numpy(self.labels[rows]))
