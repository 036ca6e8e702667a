"""The real data set, where it is available: accepted in any row order, split by movie in the hub's."""

import os
import re
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from sentiment_rnn.data import imdb
from sentiment_rnn.data.corpus import SPLITS, Split

FOLDER = Path(os.environ.get("IMDB_TEST_MIRROR") or Path(__file__).parents[3] / "shared" / "imdb")

real = pytest.mark.skipif(
    not (FOLDER / "plain_text").is_dir(), reason="IMDB is not available: set IMDB_TEST_MIRROR to its folder"
)


@pytest.fixture(scope="module")
def splits() -> dict[str, Split]:
    found = {}
    for name in SPLITS:
        (file,) = (FOLDER / "plain_text").glob(f"{name}-*.parquet")
        table = pq.read_table(file)
        found[name] = Split(table["text"].to_pylist(), table["label"].to_pylist())
    return found


def in_order(split: Split, order: np.ndarray) -> Split:
    return Split([split.texts[row] for row in order], [split.labels[row] for row in order])


@real
def test_imdb_is_accepted_in_any_row_order(splits):
    assert not imdb.differences(splits, "here")
    random = np.random.default_rng(0)
    shuffled = {name: in_order(s, random.permutation(len(s.texts))) for name, s in splits.items()}
    assert not imdb.differences(shuffled, "here")


@real
@pytest.mark.parametrize("name", ["train", "test"])
def test_one_altered_character_or_label_is_refused(splits, name):
    texts, labels, _ = splits[name]
    text = texts[12_345]
    altered = [
        Split([*texts[:12_345], text[:-1] + chr(ord(text[-1]) ^ 1), *texts[12_346:]], labels),
        Split(texts, [1 - labels[0], *labels[1:]]),
        Split([*texts[:-1], texts[0]], [*labels[:-1], labels[0]]),
    ]
    for other in altered:
        (line,) = imdb.differences(splits | {name: other}, "here")
        assert line.startswith(f"here: {name} has IMDB's number of reviews but not its content")


@real
@pytest.mark.parametrize("name", SPLITS)
def test_a_missing_or_additional_review_is_refused(splits, name):
    for rows in (slice(1, None), slice(None, 0, -1)):
        less = Split(splits[name].texts[rows], splits[name].labels[rows])
        (line,) = imdb.differences(splits | {name: less}, "here")
        assert re.match(rf"here: {name} has \d\d,999 reviews, IMDB has \d\d,000", line)
    more = Split([*splits[name].texts, "more"], [*splits[name].labels, 1])
    (line,) = imdb.differences(splits | {name: more}, "here")
    assert re.match(rf"here: {name} has \d\d,001 reviews", line)


@real
def test_the_hubs_row_order_is_recognized_and_no_other(splits):
    train = splits["train"]
    assert imdb.in_hub_order(train)
    swapped = np.arange(25_000)
    swapped[[100, 101]] = swapped[[101, 100]]
    assert not imdb.in_hub_order(in_order(train, swapped))
    assert not imdb.in_hub_order(Split(train.texts[:-1], train.labels[:-1]))


@real
def test_validation_shares_movies_with_almost_no_train_review(splits):
    movies = pq.read_table(FOLDER / "train_movies.parquet")["movie"].to_numpy()
    validation = imdb.movie_disjoint_validation()
    train = np.setdiff1d(np.arange(25_000), validation)
    assert np.isin(movies[validation], movies[train]).mean() <= 0.01
    a_random_split = np.random.default_rng(0).permutation(25_000)
    shared = np.isin(movies[a_random_split[:2500]], movies[a_random_split[2500:]]).mean()
    assert shared > 0.9  # of a random split
    assert np.array(splits["train"].labels)[validation].mean() == 0.5


def test_validation_is_a_tenth_of_distinct_rows_half_of_each_class():
    validation = imdb.movie_disjoint_validation()
    assert len(validation) == 2500
    assert np.array_equal(validation, np.unique(validation))
    assert 0 <= validation.min() <= validation.max() < 25_000
    assert (validation < 12_500).sum() == (validation >= 12_500).sum() == 1250


def test_validation_consists_of_the_ids_of_adjacent_movies():
    ids = [first + i for first in range(0, 12_500, 128) for i in reversed(range(min(128, 12_500 - first)))]
    validation = imdb.movie_disjoint_validation().tolist()
    assert sorted(ids[row] for row in validation if row < 12_500) == [*range(3593, 3983), *range(11_640, 12_500)]
    assert sorted(ids[row - 12_500] for row in validation if row >= 12_500) == list(range(11_250, 12_500))
