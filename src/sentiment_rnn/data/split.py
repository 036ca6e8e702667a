"""Which train reviews are kept, and which of them become validation."""

import zlib

import numpy as np

from sentiment_rnn.data.corpus import Split


def overlap(train: Split, test: Split) -> np.ndarray:
    """Rows of train whose text stands in test too."""
    tested = set(test.texts)
    return np.flatnonzero([text in tested for text in train.texts])


def stratified_validation(train: Split, fraction: float, seed: int) -> np.ndarray:
    """About `fraction` of each label's reviews; identical texts fall on the same side.

    A text's place is a hash of itself and the seed, so the row order does not matter.

    Returns:
        Row numbers of train, ascending.
    """
    places = np.array([zlib.crc32(text.encode(), zlib.crc32(str(seed).encode())) for text in train.texts])
    labels = np.array(train.labels)
    chosen = np.zeros(len(labels), dtype=bool)
    for label in np.unique(labels):
        of_label = labels == label
        border = np.quantile(places[of_label], fraction, method="lower")
        chosen |= of_label & (places <= border)
    # a text with both labels goes where its rows of the lower label went
    side: dict[str, bool] = {}
    for row in np.argsort(labels, kind="stable"):
        chosen[row] = side.setdefault(train.texts[row], bool(chosen[row]))
    return np.flatnonzero(chosen)
