"""Tokenized reviews written to Arrow files and read back."""

import numpy as np
import pytest
import torch

from sentiment_rnn.data import store, tokenize_stage
from sentiment_rnn.data.batches import Encoding, pad
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError

ENCODING = Encoding(vocab_size=50, max_length=30, truncation="head_tail", padding="post")


@pytest.fixture(scope="module")
def written(tmp_path_factory) -> tuple:
    """Two splits on disk, and what was written."""
    folder = tmp_path_factory.mktemp("tokens")
    random = np.random.default_rng(0)
    splits = {}
    for name, count in (("train", 40), ("validation", 11)):
        ids = [random.integers(1, 90, random.integers(1, 60)).astype(np.int32) for _ in range(count)]
        labels = random.integers(0, 2, count)
        store.save_tokens(ids, labels, np.arange(count), folder / name)
        splits[name] = (ids, labels)
    return folder, splits


def all_ids(reviews: TokenizedReviews) -> list[list[int]]:
    return [reviews.token_ids(row).tolist() for row in range(len(reviews))]


def test_ids_and_labels_come_back_as_they_were_written(written):
    folder, splits = written
    for name, (ids, labels) in splits.items():
        reviews = TokenizedReviews(folder, [name], ENCODING)
        assert len(reviews) == len(ids)
        assert all_ids(reviews) == [review.tolist() for review in ids]
        assert reviews.labels.tolist() == labels.tolist()
        assert reviews.lengths.tolist() == [len(review) for review in ids]


def test_several_splits_are_concatenated(written):
    folder, splits = written
    both = TokenizedReviews(folder, ["train", "validation"], ENCODING)
    ids = splits["train"][0] + splits["validation"][0]
    assert all_ids(both) == [review.tolist() for review in ids]
    assert both.labels.tolist() == np.concatenate([splits["train"][1], splits["validation"][1]]).tolist()
    rows = [50, 0, 39, 40, 7]  # of both splits
    batch = both[rows]
    expected, lengths = pad([ids[row] for row in rows], ENCODING)
    assert torch.equal(batch.ids, expected)
    assert torch.equal(batch.lengths, lengths)
    assert batch.labels.dtype == torch.float32
    assert batch.labels.tolist() == both.labels[rows].tolist()


@pytest.mark.parametrize(("fraction", "size"), [(0.25, 10), (0.5, 20), (0.001, 1), (1.0, 40)])
def test_a_subsample_is_a_random_fraction_of_the_reviews_with_their_labels(written, fraction, size):
    folder, splits = written
    sample, again = (TokenizedReviews(folder, ["train"], ENCODING) for _ in range(2))
    sample.subsample(fraction, seed=3)
    again.subsample(fraction, seed=3)
    assert len(sample) == len(sample.lengths) == size
    assert all_ids(sample) == all_ids(again)
    written_pairs = [(review.tolist(), label) for review, label in zip(*splits["train"], strict=True)]
    sampled_pairs = list(zip(all_ids(sample), sample.labels.tolist(), strict=True))
    assert [pair for pair in written_pairs if pair in sampled_pairs] == sampled_pairs
    assert torch.equal(sample[[0]].ids, pad([np.array(sampled_pairs[0][0])], ENCODING)[0])


def test_another_seed_gives_another_subsample(written):
    folder, _ = written
    samples = []
    for seed in (3, 4):
        reviews = TokenizedReviews(folder, ["train"], ENCODING)
        reviews.subsample(0.5, seed)
        samples.append(all_ids(reviews))
    assert samples[0] != samples[1]


def test_the_error_for_a_missing_split_has_a_cure(written):
    folder, _ = written
    with pytest.raises(UserError, match=r"/test is missing: run `dvc repro tokenize`") as caught:
        TokenizedReviews(folder, ["train", "test"], ENCODING)
    assert "\n" not in str(caught.value)


def test_the_statistics_count_tokens_and_unknown_ones():
    report = tokenize_stage.describe([np.array([1, 2, 3]), np.array([1]), np.array([4] * 6)])
    assert (report["reviews"], report["tokens"], report["unknown_fraction"]) == (3, 10, 0.2)
    assert (report["length"]["q00"], report["length"]["q50"], report["length"]["q100"]) == (1, 3, 6)
