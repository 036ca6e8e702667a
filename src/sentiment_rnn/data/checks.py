"""Checks of a corpus, and its statistics."""

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa

from sentiment_rnn.data.corpus import Corpus, Split, content_hash
from sentiment_rnn.errors import UserError


def quantiles(lengths: np.ndarray) -> dict[str, int]:
    """Quantiles of lengths `(N,)`: `q00`, `q05`, ..., `q100`."""
    return {f"q{int(q * 100):02d}": int(np.quantile(lengths, q)) for q in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)}


def check_rows(table: pa.Table, where: str, split: str) -> Split:
    """Check the rows of a table and return them as a split.

    Args:
        table: columns `text` (string) and `label` (integer: 0 or 1; -1 in `unsupervised`); others are ignored.
        where: names the table in errors.
        split: its name.

    Raises:
        UserError: a column is missing or has another type, a label is not allowed, a text is empty.
    """
    for column, is_expected in (("text", pa.types.is_string), ("label", pa.types.is_integer)):
        if column not in table.column_names:
            raise UserError(f"{where}: no column {column}, only {', '.join(table.column_names)}")
        kind = table.schema.field(column).type
        if not (is_expected(kind) or (column == "text" and pa.types.is_large_string(kind))):
            raise UserError(f"{where}: column {column} is of type {kind}")
    texts, labels = table["text"].to_pylist(), table["label"].to_pylist()
    allowed = (-1,) if split == "unsupervised" else (0, 1)
    for row, (text, label) in enumerate(zip(texts, labels, strict=True)):
        if label not in allowed:
            raise UserError(f"{where}: row {row} has label {label}, not one of {', '.join(map(str, allowed))}")
        if not text or not text.strip():
            raise UserError(f"{where}: row {row} has an empty text")
    return Split(texts, labels)


def describe(corpus: Corpus) -> dict[str, Any]:
    """Statistics for `reports/data.json`: counts, content hashes, label balance, lengths, duplicates, overlap."""
    splits = {}
    for name, split in corpus.splits.items():
        splits[name] = {
            "reviews": len(split.texts),
            "content_hash": content_hash(split),
            "labels": {str(label): count for label, count in sorted(Counter(split.labels).items())},
            "words": quantiles(np.array([len(text.split()) for text in split.texts])),
            "repeated_texts": len(split.texts) - len(set(split.texts)),
        }
    test = set(corpus.splits["test"].texts)
    return {
        "dataset": corpus.dataset,
        "source": corpus.source,
        "splits": splits,
        "train_test_overlap": {
            "distinct_texts": len(test.intersection(corpus.splits["train"].texts)),
            "train_reviews": sum(text in test for text in corpus.splits["train"].texts),
        },
    }
