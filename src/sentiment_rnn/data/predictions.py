"""Predictions on a split as a Parquet file of labels and probabilities, without the texts."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sentiment_rnn.data.corpus import Split, ordered_content_hash

CHUNK = 1_000  # reviews per call and step of the progress bar
ORDER = b"order"


class Predictions(NamedTuple):
    """Labels `(N,)`, 0 or 1, and probabilities of "positive" `(N,)` of the N reviews of a split, in its order."""

    labels: np.ndarray
    positive: np.ndarray


def predict(model: Any, texts: list[str], label: str) -> np.ndarray:
    """Probabilities of "positive" `(N,)` of N raw texts, by a registered model; `label` is the progress bar's."""
    no_bar = len(texts) <= CHUNK or None  # None: where stderr is no terminal
    positive = [
        row["probability"]
        for start in tqdm(range(0, len(texts), CHUNK), desc=label, unit="k reviews", disable=no_bar)
        for row in model.predict(texts[start : start + CHUNK])
    ]
    return np.array(positive)


def save(positive: np.ndarray, split: Split, path: Path) -> None:
    """Write labels and probabilities, with the ordered content hash of the reviews."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"label": pa.array(split.labels, pa.int8()), "probability": positive})
    pq.write_table(table.replace_schema_metadata({ORDER: ordered_content_hash(split)}), path, compression="zstd")


def load(path: Path, split: Split) -> Predictions | None:
    """Read predictions; None if they belong to other reviews than `split`, or to another order."""
    table = pq.read_table(path)
    if table.schema.metadata[ORDER].decode() != ordered_content_hash(split):
        return None
    return Predictions(table["label"].to_numpy(), table["probability"].to_numpy())
