"""Checks of the Large Movie Review Dataset (Maas et al., 2011), and a validation split that is disjoint by movie.

The hub's copy does not name the movie of a review, but its row order implies it. The rows of a class follow the data
set's own ids in blocks of 128, each block in descending order (127..0, 255..128, ...), and in order of ids the reviews
of a movie are adjacent: positives by movie; negatives first of the movies that also have positives, in the same order
of movies, and from id 3983 on of movies that have none.
"""

import numpy as np

from sentiment_rnn.data.corpus import SPLITS, Split, content_hash, ordered_content_hash

HUB = "stanfordnlp/imdb"
COUNTS = {"train": 25_000, "test": 25_000, "unsupervised": 50_000}
CONTENT_HASHES = {
    "train": "2c8b33d041627fd7f20c4b7f9050a9452437ef08caaec5e93c07b3eb4307b55f",
    "test": "46173a8bc3224d646801f7b0d6707381cc3192b30d540be7612126b893562eab",
    "unsupervised": "b64373c4160ee0d57d2330bc09bf9e0b34599d03737dfcc0d8918bbd67c81dbf",
}
TRAIN_ORDER = "5efcb5f8b6bca3df0de70bb2db108418a5c2dd07f46fce481b43821df7e905bc"

_CLASS = 12_500  # train reviews of each label
_BLOCK = 128
_SHARED_MOVIES = 3_983  # train's negative ids below it are of movies that also have positive reviews


def differences(splits: dict[str, Split], source: str) -> list[str]:
    """What differs from the complete, unaltered data set, in any row order: one line for each split."""
    found_differences = []
    for name in SPLITS:
        found, expected = len(splits[name].texts), COUNTS[name]
        if found != expected:
            found_differences.append(
                f"{source}: {name} has {found:,} reviews, IMDB has {expected:,}: incomplete, download it again"
            )
        elif content_hash(splits[name]) != CONTENT_HASHES[name]:
            found_differences.append(
                f"{source}: {name} has IMDB's number of reviews but not its content: "
                "a text or a label was altered, download it again"
            )
    return found_differences


def in_hub_order(train: Split) -> bool:
    """Whether the rows of train are in the hub's order, which `movie_disjoint_validation` relies on."""
    return len(train.texts) == COUNTS["train"] and ordered_content_hash(train) == TRAIN_ORDER


def movie_disjoint_validation() -> np.ndarray:
    """A balanced tenth of train whose movies have almost no review in the rest.

    It consists of the last tenth of the positives, by movie, the negatives of those movies, and as many of the last
    negative ids as make the two classes equal.

    Returns:
        `(2500,)` row numbers of train in the hub's order, ascending.
    """
    ids = np.array(sorted(range(_CLASS), key=lambda i: (i // _BLOCK, -i)))  # the id of each row of a class
    positive = ids >= 11_250
    same_movies = (ids >= 3_593) & (ids < _SHARED_MOVIES)
    negative = same_movies | (ids >= _CLASS - (positive.sum() - same_movies.sum()))
    return np.flatnonzero(np.concatenate([negative, positive]))
