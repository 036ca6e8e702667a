"""Overlap of train with test, and a stratified validation split."""

import zlib

import numpy as np

from sentiment_rnn.data.corpus import Split


def overlap(train: Split, test: Split) -> np.ndarray:
    """Rows of train `(n,)` whose text is also in test."""
    test_texts = set(test.texts)
    return np.flatnonzero([text in test_texts for text in train.texts])


def stratified_validation(train: Split, fraction: float, seed: int) -> np.ndarray:
    """About `fraction` of the reviews of each label; identical texts are on the same side of the split.

    A review is selected by a hash of its text and the seed, so the row order does not matter.

    Returns:
        Row numbers of train `(n,)`, ascending.
    """
    hashes = np.array([zlib.crc32(text.encode(), zlib.crc32(str(seed).encode())) for text in train.texts])
    labels = np.array(train.labels)
    in_validation = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        has_label = labels == label
        threshold = np.quantile(hashes[has_label], fraction, method="lower")
        in_validation |= has_label & (hashes <= threshold)
    # a text that occurs with both labels is on the side of its rows with the lower label
    sides: dict[str, bool] = {}
    for row in np.argsort(labels, kind="stable"):
        in_validation[row] = sides.setdefault(train.texts[row], bool(in_validation[row]))
    return np.flatnonzero(in_validation)
