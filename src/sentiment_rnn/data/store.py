"""The files of a data set: raw splits as Parquet, tokenized splits as Arrow, `dataset.json` with name and hashes."""

import hashlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import datasets
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_rnn.data.corpus import Corpus, Split
from sentiment_rnn.files import atomic_folder, read_json, write_json

TOKENS = pa.schema([("ids", pa.list_(pa.int32())), ("label", pa.int8()), ("row", pa.int32())])


def save(corpus: Corpus, folder: str | Path, identity: dict[str, Any]) -> None:
    """Write a corpus and its identity, atomically."""
    with atomic_folder(folder) as partial:
        for name, split in corpus.splits.items():
            table = pa.table({"texts": split.texts, "labels": split.labels, **split.columns})
            pq.write_table(table, partial / f"{name}.parquet", compression="zstd")
        write_json(partial / "dataset.json", identity)


def load_split(folder: str | Path, name: str) -> Split:
    """Read the reviews of one split."""
    columns = pq.read_table(Path(folder) / f"{name}.parquet").to_pydict()
    return Split(columns.pop("texts"), columns.pop("labels"), columns)


def save_tokens(ids: Sequence[np.ndarray], labels: np.ndarray, rows: np.ndarray, folder: Path) -> None:
    """Write reviews as columns `ids` (list of int32), `label` (int8) and `row` (int32, in the raw split)."""
    offsets = np.concatenate([[0], np.cumsum([len(review) for review in ids])]).astype(np.int32)
    column = pa.ListArray.from_arrays(pa.array(offsets), pa.array(np.concatenate([*ids, np.empty(0, np.int32)])))
    table = pa.table({"ids": column, "label": pa.array(labels, pa.int8()), "row": pa.array(rows, pa.int32())})
    datasets.Dataset(table).save_to_disk(folder)


def load_tokens(folder: Path) -> pa.Table:
    """The columns that `save_tokens` wrote, memory-mapped; of no rows, too, which `datasets` cannot load."""
    files = sorted(folder.glob("*.arrow"))
    if not files:
        return TOKENS.empty_table()
    return pa.concat_tables([pa.ipc.open_stream(pa.memory_map(str(file))).read_all() for file in files])


def digest(folder: Path) -> str:
    """SHA-256 of tokenized reviews: of the vocabulary, and of the ids of each split."""
    files = [folder / "tokenizer.json", *sorted(folder.glob("*/*.arrow"))]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def load_identity(folder: str | Path) -> dict[str, Any]:
    """Read the name `dataset` and the `content_hashes` of the splits.

    Besides these, raw splits have their `class_names`, and tokenized ones the digest `tokens`.
    """
    return read_json(Path(folder) / "dataset.json")
