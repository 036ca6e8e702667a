"""Accuracy by slice of the reviews: by length, by the rates of negation and contrast words, by columns of the data."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sentiment_rnn.data.corpus import split_tokens
from sentiment_rnn.evaluation.metrics import wilson

NEGATION = frozenset((
    "barely", "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere",
    "scarcely", "without",
))  # fmt: skip  # and words that end in n't
CONTRAST = frozenset((
    "although", "but", "conversely", "despite", "except", "however", "instead", "nevertheless", "nonetheless",
    "notwithstanding", "otherwise", "rather", "though", "unlike", "whereas", "yet",
))  # fmt: skip
# a slice has the values above one edge, up to and including the next
LENGTHS = (-np.inf, 100, 150, 200, 300, 400, 600, 1000, np.inf)  # tokens
RATES = (-np.inf, 0, 0.5, 1, 1.5, 2, 3, np.inf)  # words per 100 tokens
OF_TEXT = ("length", "negation", "contrast")
MAX_VALUES = 12  # of a column: the most frequent ones
MIN_REVIEWS = 30  # a smaller slice is merged with its neighbor: its accuracy would be noise


def is_negation(token: str) -> bool:
    """Whether a token in lower case is a negation."""
    return token in NEGATION or token.endswith(("n't", "n\u2019t"))


def slice_masks(
    texts: Sequence[str], columns: Mapping[str, Sequence[str]] | None = None
) -> dict[str, dict[str, np.ndarray]]:
    """Masks `(N,)` of the reviews in each slice, by kind of slice: `length`, `negation`, `contrast`, `by COLUMN`.

    Each slice has at least `MIN_REVIEWS` reviews, unless there are fewer than that in total.

    Args:
        texts: of the `N` reviews.
        columns: further kinds of slices: `(N,)` values of each.
    """
    reviews = [split_tokens(text) for text in texts]
    lengths = np.array([len(review) for review in reviews])
    negation = np.array([sum(map(is_negation, review)) for review in reviews])
    contrast = np.array([sum(token in CONTRAST for token in review) for review in reviews])
    return {
        "length": _bins(lengths, LENGTHS, step=1),
        "negation": _bins(100 * negation / np.maximum(lengths, 1), RATES),
        "contrast": _bins(100 * contrast / np.maximum(lengths, 1), RATES),
        **{f"by {name}": _by_value(np.array(values)) for name, values in (columns or {}).items()},
    }


def file_name(kind: str) -> str:
    """The name of a kind of slice in the names of files."""
    return re.sub(r"\W+", "-", kind)


def _by_value(values: np.ndarray) -> dict[str, np.ndarray]:
    """Masks of the most frequent values; the rest is one slice, if it is not empty."""
    frequent = [str(value) for value, count in Counter(values.tolist()).most_common(MAX_VALUES) if count >= MIN_REVIEWS]
    masks = {value or "(empty)": values == value for value in sorted(frequent)}
    rest = ~np.isin(values, frequent)
    return masks | ({"all others": rest} if rest.any() else {})


def _bins(values: np.ndarray, edges: Sequence[float], step: float = 0) -> dict[str, np.ndarray]:
    """Masks of the values between edges, by name. With `step` 1, for integers, the slice after 100 starts at 101."""
    merged = [edges[0]]
    for edge in edges[1:-1]:
        if min(_between(values, merged[-1], edge).sum(), (values > edge).sum()) >= MIN_REVIEWS:
            merged.append(edge)
    merged.append(edges[-1])
    return {_name(low, high, step): _between(values, low, high) for low, high in pairwise(merged)}


def _between(values: np.ndarray, low: float, high: float) -> np.ndarray:
    inside: np.ndarray = (values > low) & (values <= high)
    return inside


def _name(low: float, high: float, step: float) -> str:
    if low == -np.inf:
        return "all" if high == np.inf else f"up to {high:g}" if high else "none"
    return f"over {low:g}" if high == np.inf else f"{low + step:g} to {high:g}"


def slice_metrics(masks: Mapping[str, np.ndarray], correct: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Each slice's number of reviews, and each model's accuracy on them with its 95% interval (Wilson).

    Args:
        masks: `(N,)` by slice.
        correct: `(N,)` by model, where its prediction is correct.
    """
    rows = []
    for name, mask in masks.items():
        reviews = int(mask.sum())
        models = {}
        for model, hits in correct.items():
            successes = int(hits[mask].sum())
            models[model] = {"accuracy": successes / reviews, "interval": list(wilson(successes, reviews))}
        rows.append({"slice": name, "reviews": reviews, "models": models})
    return rows
