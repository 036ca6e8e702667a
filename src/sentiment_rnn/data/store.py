"""The folder `download` leaves: a parquet file a split, and `dataset.json` with the corpus's name and fingerprints."""

from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from sentiment_rnn.data.corpus import Corpus, Split
from sentiment_rnn.files import read_json, whole_folder, write_json


def save(corpus: Corpus, folder: str | Path, identity: dict[str, Any]) -> None:
    """Write a corpus and what identifies it, at once or not at all."""
    with whole_folder(folder) as partial:
        for name, split in corpus.splits.items():
            pq.write_table(pa.table(split._asdict()), partial / f"{name}.parquet", compression="zstd")
        write_json(partial / "dataset.json", identity)


def load_split(folder: str | Path, name: str) -> Split:
    """The reviews of one split."""
    table = pq.read_table(Path(folder) / f"{name}.parquet")
    return Split(table["texts"].to_pylist(), table["labels"].to_pylist())


def load_identity(folder: str | Path) -> dict[str, Any]:
    """`dataset`, `source` and the `fingerprints` of the splits in a folder of raw or of tokenized reviews."""
    return read_json(Path(folder) / "dataset.json")
