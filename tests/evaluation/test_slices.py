"""Slices and their accuracies against counts by hand."""

import numpy as np
import pytest

from sentiment_rnn.evaluation import slices
from sentiment_rnn.evaluation.metrics import wilson

TEXTS = [
    "Not bad, but<br />not good.",  # 7 tokens: 2 negations, 1 contrast
    "It isn\u2019t dull; though it isn't short.",  # 9: 2 and 1
    "good " * 100,  # 100: none
    "good " * 101,
    "good " * 1000 + "never.",  # 1002: 1 negation
    "although " + "good " * 199,  # 200: 1 contrast, 0.5 per 100
]


def rows(masks: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """The rows of `TEXTS` in each slice; the corpus has each text 30 times."""
    return {name: np.flatnonzero(mask[: len(TEXTS)]).tolist() for name, mask in masks.items()}


def test_slices_equal_those_counted_by_hand_and_none_is_small():
    masks = slices.slice_masks(TEXTS * slices.MIN_REVIEWS)
    assert rows(masks["length"]) == {"up to 100": [0, 1, 2], "101 to 150": [3], "151 to 200": [5], "over 200": [4]}
    assert rows(masks["negation"]) == {"none": [2, 3, 5], "0 to 0.5": [4], "over 0.5": [0, 1]}
    assert rows(masks["contrast"]) == {"none": [2, 3, 4], "0 to 0.5": [5], "over 0.5": [0, 1]}


@pytest.mark.parametrize("count", [5, 40, 700])
def test_each_review_is_in_one_slice_of_each_kind_and_small_slices_are_merged(count):
    random = np.random.default_rng(0)
    words = ["good", "bad", "not", "but", "don't", "film", "yet"]
    texts = [" ".join(random.choice(words, random.integers(1, 1500), p=[0.3, 0.3, 0.01, 0.01, 0.01, 0.36, 0.01]))
             for _ in range(count)]  # fmt: skip
    for masks in slices.slice_masks(texts).values():
        assert (np.sum(list(masks.values()), axis=0) == 1).all()
        assert min(mask.sum() for mask in masks.values()) >= min(slices.MIN_REVIEWS, count)
        assert count > 5 or list(masks) == ["all"]


def test_negations_in_any_spelling():
    assert all(map(slices.is_negation, ["not", "never", "can't", "won\u2019t"]))
    assert not any(map(slices.is_negation, ["note", "want", "n't_", "good"]))


def test_the_accuracy_of_each_slice_and_model():
    masks = {"a": np.array([1, 1, 1, 0], bool), "b": np.array([0, 0, 0, 1], bool)}
    first, second = slices.slice_metrics(masks, {"one": np.array([1, 1, 0, 0], bool), "two": np.ones(4, bool)})
    assert (first["slice"], first["reviews"]) == ("a", 3)
    assert first["models"]["one"] == {"accuracy": pytest.approx(2 / 3), "interval": list(wilson(2, 3))}
    assert (second["slice"], second["reviews"]) == ("b", 1)
    assert (second["models"]["one"]["accuracy"], second["models"]["two"]["accuracy"]) == (0, 1)
