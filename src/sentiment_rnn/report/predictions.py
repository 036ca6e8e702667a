"""What a model says of the test reviews, kept as a file without their texts: nobody needs to score them again."""

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from tqdm import tqdm

from sentiment_rnn.data.corpus import Split, order_fingerprint

CHUNK = 1_000  # reviews a call: the progress bar's step
ORDER = b"order"


class Predictions(NamedTuple):
    """Of N reviews, in their split's order: labels `(N,)` of 0 and 1, and probabilities of "positive" `(N,)`."""

    labels: np.ndarray
    positive: np.ndarray


def ask(model: Any, texts: list[str], what: str) -> np.ndarray:
    """The probability of "positive" `(N,)` that a registered model gives N raw texts; `what` stands beside the bar."""
    said = [
        answer["probability"]
        for start in tqdm(range(0, len(texts), CHUNK), desc=what, unit="k reviews")
        for answer in model.predict(texts[start : start + CHUNK])
    ]
    return np.array(said)


def save(positive: np.ndarray, split: Split, path: Path) -> None:
    """Write labels and probabilities, and by its fingerprint which reviews in which order they are of."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"label": pa.array(split.labels, pa.int8()), "probability": positive})
    pq.write_table(table.replace_schema_metadata({ORDER: order_fingerprint(split)}), path, compression="zstd")


def load(path: Path, split: Split) -> Predictions | None:
    """Read what `save` wrote; None if it was of other reviews than those of `split`, or in another order."""
    table = pq.read_table(path)
    if table.schema.metadata[ORDER].decode() != order_fingerprint(split):
        return None
    return Predictions(table["label"].to_numpy(), table["probability"].to_numpy())
