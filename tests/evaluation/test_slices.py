"""Groups and their accuracies against counts by hand."""

import numpy as np
import pytest

from sentiment_rnn.evaluation.metrics import wilson
from sentiment_rnn.evaluation.slices import groups, is_negation, slice_metrics, tokens

TEXTS = [
    "Not bad, but<br />not good.",  # 7 tokens: 2 deny, 1 contrasts
    "It isn\u2019t dull; though it isn't short.",  # 9: 2 and 1
    "good " * 100,  # 100: none
    "good " * 101,
    "good " * 1000 + "never.",  # 1002: 1 denies
    "although " + "good " * 199,  # 200: 1 contrasts, which is 0.5 in 100
]


def of(found: dict[str, np.ndarray]) -> dict[str, list[int]]:
    """The rows of each group that has any."""
    return {name: np.flatnonzero(mask).tolist() for name, mask in found.items() if mask.any()}


def test_groups_equal_those_counted_by_hand():
    found = groups(TEXTS)
    assert of(found["length"]) == {
        "up to 100": [0, 1, 2],
        "101 to 150": [3],
        "151 to 200": [5],
        "over 1000": [4],
    }
    assert of(found["negation"]) == {"none": [2, 3, 5], "up to 0.5": [4], "over 3": [0, 1]}
    assert of(found["contrast"]) == {"none": [2, 3, 4], "up to 0.5": [5], "over 3": [0, 1]}


def test_each_review_is_in_one_group_of_each_slice():
    random = np.random.default_rng(0)
    words = ["good", "bad", "not", "but", "don't", "film", "yet"]
    texts = [" ".join(random.choice(words, random.integers(1, 1500), p=[0.3, 0.3, 0.01, 0.01, 0.01, 0.36, 0.01]))
             for _ in range(200)]  # fmt: skip
    for masks in groups(texts).values():
        assert (np.sum(list(masks.values()), axis=0) == 1).all()


def test_tokens_are_the_networks_and_what_denies_is_known_in_any_spelling():
    assert tokens("It ISN'T<br/>good!") == ["it", "isn't", "good", "!"]
    assert all(map(is_negation, ["not", "never", "can't", "won\u2019t"]))
    assert not any(map(is_negation, ["note", "want", "n't_", "good"]))


def test_accuracies_are_each_groups_own_and_empty_groups_are_left_out():
    masks = {"a": np.array([1, 1, 1, 0], bool), "b": np.array([0, 0, 0, 1], bool), "c": np.zeros(4, bool)}
    right = {"one": np.array([1, 1, 0, 0], bool), "two": np.ones(4, bool)}
    first, second = slice_metrics(masks, right)
    assert (first["group"], first["reviews"]) == ("a", 3)
    assert first["models"]["one"] == {"accuracy": pytest.approx(2 / 3), "interval": list(wilson(2, 3))}
    assert (second["group"], second["reviews"]) == ("b", 1)
    assert (second["models"]["one"]["accuracy"], second["models"]["two"]["accuracy"]) == (0, 1)
