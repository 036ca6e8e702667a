"""Where a model is right more often and where less: by a review's length, and by words that turn a sentence."""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from sentiment_rnn.data.corpus import split_tokens
from sentiment_rnn.evaluation.metrics import wilson

NEGATION = frozenset((
    "barely", "cannot", "hardly", "neither", "never", "no", "nobody", "none", "nor", "not", "nothing", "nowhere",
    "scarcely", "without",
))  # fmt: skip  # and what ends in n't
CONTRAST = frozenset((
    "although", "but", "conversely", "despite", "except", "however", "instead", "nevertheless", "nonetheless",
    "notwithstanding", "otherwise", "rather", "though", "unlike", "whereas", "yet",
))  # fmt: skip
LENGTHS = (0, 100, 150, 200, 300, 400, 600, 1000, np.inf)  # tokens: over the first, up to the second, ...
RATES = (0, 0.5, 1, 1.5, 2, 3, np.inf)  # words in 100 tokens


def is_negation(token: str) -> bool:
    """Whether a token in lower case denies."""
    return token in NEGATION or token.endswith(("n't", "n\u2019t"))


def groups(texts: Sequence[str]) -> dict[str, dict[str, np.ndarray]]:
    """Masks `(N,)` of the reviews in each group, by slice: `length`, `negation` and `contrast`."""
    read = [split_tokens(text) for text in texts]
    lengths = np.array([len(review) for review in read])

    def rate(counts: list[int]) -> np.ndarray:
        return 100 * np.array(counts) / np.maximum(lengths, 1)

    negation = rate([sum(map(is_negation, review)) for review in read])
    contrast = rate([sum(token in CONTRAST for token in review) for review in read])
    return {
        "length": _bins(lengths, LENGTHS, step=1),
        "negation": {"none": negation == 0, **_bins(negation, RATES)},
        "contrast": {"none": contrast == 0, **_bins(contrast, RATES)},
    }


def _bins(values: np.ndarray, edges: Sequence[float], step: float = 0) -> dict[str, np.ndarray]:
    """Masks of what lies over one edge and up to the next; `step`: of whole numbers, 101 is what comes after 100."""
    names = [f"up to {high:g}" if low == 0 else f"{low + step:g} to {high:g}" for low, high in pairwise(edges)]
    names[-1] = f"over {edges[-2]:g}"
    return {name: (values > low) & (values <= high) for name, (low, high) in zip(names, pairwise(edges), strict=True)}


def slice_metrics(masks: Mapping[str, np.ndarray], right: Mapping[str, np.ndarray]) -> list[dict[str, Any]]:
    """Each group's number of reviews, and each model's accuracy on them with its 95% interval; none of empty groups.

    Args:
        masks: `(N,)` by group.
        right: `(N,)` by model, where it is right.
    """
    rows = []
    for group, mask in masks.items():
        count = int(mask.sum())
        if count:
            accuracy = {
                name: {"accuracy": hits / count, "interval": list(wilson(hits, count))}
                for name, hits in ((name, int(where[mask].sum())) for name, where in right.items())
            }
            rows.append({"group": group, "reviews": count, "models": accuracy})
    return rows
