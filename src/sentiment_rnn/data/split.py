"""Splits by a hash of texts: stratified, with identical texts, and the rows of a group, on one side."""

import zlib
from collections.abc import Sequence

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from sentiment_rnn.data.corpus import Split


def overlap(train: Split, test: Split) -> np.ndarray:
    """Rows of train `(n,)` whose text is also in test."""
    test_texts = set(test.texts)
    return np.flatnonzero([text in test_texts for text in train.texts])


def positions(split: Split, seed: int, group: Sequence[str] | None = None) -> np.ndarray:
    """A place in [0, 1) for each row, in a random order of the rows of its label.

    The rows below 0.1 are a stratified tenth; those from 0.1 to 0.2 are another. Identical texts have the same place,
    and so have the rows with the same value of `group`, each with the rows that have its texts. The order is that of a
    hash of texts and seed, so it does not depend on the order of the rows.

    Args:
        split: `N` rows.
        seed: of the hash.
        group: `(N,)` values.

    Returns:
        `(N,)`. A set of rows that belong together counts as of its more frequent label.
    """
    hashes = np.array([zlib.crc32(text.encode(), zlib.crc32(str(seed).encode())) for text in split.texts])
    together = _together(split.texts, group)
    sizes = np.bincount(together)
    smallest = np.full(len(sizes), np.iinfo(np.int64).max)
    np.minimum.at(smallest, together, hashes)
    labels = np.bincount(together, weights=np.array(split.labels) > 0) * 2 > sizes  # of each set
    place = np.empty(len(sizes))
    for label in np.unique(labels):
        sets = np.flatnonzero(labels == label)
        sets = sets[np.argsort(smallest[sets], kind="stable")]
        ends = np.cumsum(sizes[sets])
        place[sets] = (ends - sizes[sets]) / ends[-1]  # from 0 on: any fraction has a row of each label
    return place[together]


def _together(texts: Sequence[str], group: Sequence[str] | None) -> np.ndarray:
    """The number `(N,)` of the set of rows that each row belongs to."""
    text_numbers = _numbers(texts)
    if group is None:
        return text_numbers
    groups = _numbers(group)
    count = int(text_numbers.max()) + 1
    edges = coo_array(
        (np.ones(len(texts), dtype=np.int8), (text_numbers, count + groups)), shape=(count + len(texts),) * 2
    )
    return np.unique(connected_components(edges, directed=False)[1][text_numbers], return_inverse=True)[1]


def _numbers(values: Sequence[str]) -> np.ndarray:
    seen: dict[str, int] = {}
    return np.array([seen.setdefault(value, len(seen)) for value in values])
