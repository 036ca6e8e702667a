"""Stratified splits: by content, with identical texts and the rows of a group on one side."""

import numpy as np
import pytest

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.data.split import overlap, positions
from sentiment_rnn.data.synthetic import generate


@pytest.fixture(scope="module")
def train() -> Split:
    """2,000 reviews, one in ten duplicated, two positives per negative."""
    texts, labels = generate(2400, seed=11)
    rows = [row for row, label in enumerate(labels) if label == 1 or row % 2]
    texts, labels = [texts[row] for row in rows], [labels[row] for row in rows]
    return Split(texts + texts[::10], labels + labels[::10])


def selected_rows(split: Split, fraction: float, seed: int = 7, group: list[str] | None = None) -> np.ndarray:
    return np.flatnonzero(positions(split, seed, group) < fraction)


def chosen_texts(split: Split, rows: np.ndarray) -> set[str]:
    return {split.texts[row] for row in rows}


@pytest.mark.parametrize("fraction", [0.05, 0.1, 0.3])
def test_about_the_fraction_of_each_label_is_selected(train, fraction):
    rows = selected_rows(train, fraction, seed=7)
    assert np.array_equal(rows, np.unique(rows))
    labels = np.array(train.labels)
    for label in (0, 1):
        selected = (labels[rows] == label).sum() / (labels == label).sum()
        assert selected == pytest.approx(fraction, abs=0.02)


def test_the_selection_depends_on_the_seed_alone(train):
    first = selected_rows(train, 0.1, seed=7)
    assert np.array_equal(first, selected_rows(train, 0.1, seed=7))
    other = selected_rows(train, 0.1, seed=8)
    assert len(np.intersect1d(first, other)) < len(first) / 2


def test_the_row_order_does_not_matter(train):
    order = np.random.default_rng(0).permutation(len(train.texts))
    shuffled = Split([train.texts[row] for row in order], [train.labels[row] for row in order])
    first = chosen_texts(train, selected_rows(train, 0.1, seed=7))
    assert first == chosen_texts(shuffled, selected_rows(shuffled, 0.1, seed=7))


def test_identical_texts_are_on_the_same_side(train):
    rows = selected_rows(train, 0.2, seed=7)
    rest = np.setdiff1d(np.arange(len(train.texts)), rows)
    assert chosen_texts(train, rows).isdisjoint(chosen_texts(train, rest))


def test_a_text_with_both_labels_is_on_one_side_in_any_row_order():
    texts, labels = generate(400, seed=3)
    both = Split(texts + texts[:200], labels + [1 - label for label in labels[:200]])
    in_reverse = Split(both.texts[::-1], both.labels[::-1])
    rows = selected_rows(both, 0.3, seed=7)
    rest = np.setdiff1d(np.arange(len(both.texts)), rows)
    assert chosen_texts(both, rows).isdisjoint(chosen_texts(both, rest))
    assert chosen_texts(both, rows) == chosen_texts(in_reverse, selected_rows(in_reverse, 0.3, seed=7))


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.49])
def test_the_smallest_corpus_has_validation_and_train_of_both_labels(fraction):
    train = Split(*generate(20, seed=1))
    rows = selected_rows(train, fraction, seed=7)
    chosen = [train.labels[row] for row in rows]
    assert set(chosen) == {0, 1}
    assert 0 < chosen.count(0) < 10
    assert 0 < chosen.count(1) < 10


def test_the_rows_of_a_group_and_those_that_have_its_texts_are_on_one_side(train):
    random = np.random.default_rng(0)
    group = [str(number) for number in random.integers(0, 300, len(train.texts))]
    rows = selected_rows(train, 0.2, group=group)
    rest = np.setdiff1d(np.arange(len(train.texts)), rows)
    assert {group[row] for row in rows}.isdisjoint(group[row] for row in rest)
    assert chosen_texts(train, rows).isdisjoint(chosen_texts(train, rest))
    ungrouped = selected_rows(train, 0.2)
    assert {group[row] for row in ungrouped} & {group[row] for row in np.setdiff1d(np.arange(len(group)), ungrouped)}


def test_groups_are_split_by_the_fraction_too():
    texts, labels = generate(3000, seed=2)
    group = [str(row // 3) for row in range(3000)]
    rows = selected_rows(Split(texts, labels), 0.25, group=group)
    assert len(rows) / 3000 == pytest.approx(0.25, abs=0.02)
    assert np.array(labels)[rows].mean() == pytest.approx(np.mean(labels), abs=0.05)


def test_folds_cover_every_row_once(train):
    fold = np.floor(10 * positions(train, seed=7)).astype(int)
    assert np.bincount(fold).tolist() == pytest.approx([len(fold) / 10] * 10, abs=6)


def test_overlap_returns_the_train_rows_whose_text_is_in_test():
    train = Split(["a", "b", "c", "b", "A"], [0, 1, 0, 1, 0])
    test = Split(["b", "a", "d", "b"], [1, 1, 0, 0])
    assert overlap(train, test).tolist() == [0, 1, 3]
    assert overlap(train, Split(["e"], [0])).tolist() == []
