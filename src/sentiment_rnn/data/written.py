"""Tokenized splits written to disk, as Arrow files of `datasets`."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa

from sentiment_rnn.data.corpus import UNKNOWN


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
