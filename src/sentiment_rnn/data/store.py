"""The folder of raw reviews: one Parquet file per split, and `dataset.json` with the data set's name and hashes."""

import hashlib
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_rnn.data.corpus import Corpus, Split
from sentiment_rnn.files import atomic_folder, read_json, write_json


def save(corpus: Corpus, folder: str | Path, identity: dict[str, Any]) -> None:
    """Write a corpus and its identity, atomically."""
    with atomic_folder(folder) as partial:
        for name, split in corpus.splits.items():
            pq.write_table(pa.table(split._asdict()), partial / f"{name}.parquet", compression="zstd")
        write_json(partial / "dataset.json", identity)


def load_split(folder: str | Path, name: str) -> Split:
    """Read the reviews of one split."""
    table = pq.read_table(Path(folder) / f"{name}.parquet")
    return Split(table["texts"].to_pylist(), table["labels"].to_pylist())


def digest(folder: Path) -> str:
    """SHA-256 of tokenized reviews: of the vocabulary, and of the ids of each split."""
    files = [folder / "tokenizer.json", *sorted(folder.glob("*/*.arrow"))]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def load_identity(folder: str | Path) -> dict[str, Any]:
    """Read the name `dataset`, the `content_hashes` of the splits and, of tokenized reviews, the digest `tokens`."""
    return read_json(Path(folder) / "dataset.json")
