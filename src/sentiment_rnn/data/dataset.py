"""Tokenized splits as a PyTorch data set: Arrow files, read memory-mapped as padded batches."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import torch
from torch.utils.data import Dataset

from sentiment_rnn.data import store
from sentiment_rnn.data.batches import Batch, Encoding, pad
from sentiment_rnn.errors import UserError


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
        table = pa.concat_tables([store.load_tokens(Path(folder, split)) for split in splits])
        # views of the memory-mapped files: only offsets are copied
        chunks, no_rows = table["ids"].chunks, np.empty(0, np.int32)
        self.ids = [chunk.values.to_numpy() for chunk in chunks]  # of each chunk, the concatenated ids of its reviews
        self.chunk = np.repeat(np.arange(len(chunks)), np.array([len(chunk) for chunk in chunks], dtype=int))
        self.starts = np.concatenate([no_rows, *(chunk.offsets.to_numpy()[:-1] for chunk in chunks)])
        self.ends = np.concatenate([no_rows, *(chunk.offsets.to_numpy()[1:] for chunk in chunks)])
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
