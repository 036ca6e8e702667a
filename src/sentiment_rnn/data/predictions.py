"""Predictions on a split as a Parquet file, without the texts: labels and probabilities."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sentiment_rnn.data.corpus import Split, ordered_content_hash

CHUNK = 1_000  # reviews a call: the progress bar's step
ORDER = b"order"


class Predictions(NamedTuple):
    """Of N reviews, in their split's order: labels `(N,)` of 0 and 1, and probabilities of "positive" `(N,)`."""

    labels: np.ndarray
    positive: np.ndarray


def predict(model: Any, texts: list[str], label: str) -> np.ndarray:
    """A registered model's probabilities of "positive" `(N,)` for N raw texts; `label` is that of the progress bar."""
    positive = [
        row["probability"]
        for start in tqdm(range(0, len(texts), CHUNK), desc=label, unit="k reviews")
        for row in model.predict(texts[start : start + CHUNK])
    ]
    return np.array(positive)


def save(positive: np.ndarray, split: Split, path: Path) -> None:
    """Write labels and probabilities, with a hash of the reviews in their order."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"label": pa.array(split.labels, pa.int8()), "probability": positive})
    pq.write_table(table.replace_schema_metadata({ORDER: ordered_content_hash(split)}), path, compression="zstd")


def load(path: Path, split: Split) -> Predictions | None:
    """Read predictions; None if they are of other reviews than those of `split`, or in another order."""
    table = pq.read_table(path)
    if table.schema.metadata[ORDER].decode() != ordered_content_hash(split):
        return None
    return Predictions(table["label"].to_numpy(), table["probability"].to_numpy())
