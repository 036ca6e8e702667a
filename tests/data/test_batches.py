"""Truncation, padding, bucket widths, and the order of batches."""

from collections import Counter
from typing import get_args

import numpy as np
import pytest
import torch

from sentiment_rnn.data.batches import NUM_BUCKETS, BucketBatchSampler, Encoding, bucket_width, pad, truncate
from sentiment_rnn.params import ModelParams


def reviews_of(lengths: list[int], seed: int = 0) -> list[np.ndarray]:
    random = np.random.default_rng(seed)
    return [random.integers(1, 40, length).astype(np.int32) for length in lengths]


def truncated_by_hand(ids: list[int], most: int, how: str) -> list[int]:
    if len(ids) <= most:
        return ids
    head = {"head": most, "tail": 0, "head_tail": most // 4}[how]
    positions = [p for p in range(len(ids)) if p < head or p >= len(ids) - (most - head)]
    return [ids[p] for p in positions]


def options(name: str) -> tuple[str, ...]:
    """The values that params.yaml allows: a batch has to know the same."""
    return get_args(ModelParams.model_fields[name].annotation)


@pytest.mark.parametrize("how", options("truncation"))
@pytest.mark.parametrize("most", [1, 2, 3, 4, 7, 8, 20])
def test_truncation_selects_the_named_tokens(how, most):
    for length in range(1, 30):
        ids = list(range(100, 100 + length))
        assert truncate(np.array(ids), most, how).tolist() == truncated_by_hand(ids, most, how)


@pytest.mark.parametrize("padding", options("padding"))
@pytest.mark.parametrize("how", options("truncation"))
def test_padding_agrees_with_plain_python(how, padding):
    encoding = Encoding(vocab_size=30, max_length=20, truncation=how, padding=padding)
    reviews = reviews_of([1, 5, 12, 19, 20, 21, 50])
    ids, lengths = pad(reviews, encoding)
    assert ids.dtype == lengths.dtype == torch.int64
    assert ids.is_contiguous()
    assert ids.shape == (20, 7)
    for column, length, review in zip(ids.t().tolist(), lengths.tolist(), reviews, strict=True):
        expected = [1 if token >= 30 else token for token in truncated_by_hand(review.tolist(), 20, how)]
        filling = [0] * (20 - len(expected))
        assert column == (filling + expected if padding == "pre" else expected + filling)
        assert length == (20 if padding == "pre" else len(expected))


def test_ids_beyond_the_vocabulary_become_unknown():
    encoding = Encoding(vocab_size=10, max_length=6, truncation="head", padding="post")
    ids, _ = pad([np.array([2, 9, 10, 11, 50_000, 1], dtype=np.int32)], encoding)
    assert ids[:6, 0].tolist() == [2, 9, 1, 1, 1, 1]


@pytest.mark.parametrize("most", [1, 2, 15, 16, 17, 32, 100, 200, 400, 401, 1000, 2999])
def test_widths_are_few_and_never_below_the_truncated_length(most):
    post = Encoding(100, most, "tail", "post")
    lengths = np.arange(1, 3001)
    widths = bucket_width(lengths, post)
    assert len(np.unique(widths)) <= min(NUM_BUCKETS, most)
    assert (widths >= np.minimum(lengths, most)).all()
    assert (widths <= most).all()
    assert (widths - np.minimum(lengths, most) <= -(-most // NUM_BUCKETS)).all()
    assert (np.diff(widths) >= 0).all()
    assert [int(bucket_width(length, post)) for length in (1, most, 3000)] == widths[[0, most - 1, -1]].tolist()
    assert set(bucket_width(lengths, post._replace(padding="pre")).tolist()) == {most}


def test_a_padded_batch_has_the_width_of_its_longest_review():
    encoding = Encoding(100, 160, "tail", "post")
    for lengths in ([1], [10, 11], [3, 99, 20], [159], [160, 5], [1000, 2]):
        ids, _ = pad(reviews_of(lengths), encoding)
        assert ids.shape == (int(bucket_width(max(lengths), encoding)), len(lengths))


@pytest.fixture
def lengths() -> np.ndarray:
    return np.random.default_rng(1).integers(1, 300, 1003)


ENCODING = Encoding(100, 200, "tail", "post")


@pytest.mark.parametrize("padding", ["post", "pre"])
@pytest.mark.parametrize("seed", [None, 5])
def test_batches_cover_every_row_once_and_have_one_width(lengths, seed, padding):
    encoding = ENCODING._replace(padding=padding)
    sampler = BucketBatchSampler(lengths, encoding, 32, seed)
    batches = list(sampler)
    assert len(batches) == len(sampler)
    assert Counter(row for batch in batches for row in batch) == Counter(range(1003))
    widths = bucket_width(lengths, encoding)
    smaller = Counter()
    for batch in batches:
        assert len({int(widths[row]) for row in batch}) == 1
        assert 1 <= len(batch) <= 32
        smaller[int(widths[batch[0]])] += len(batch) < 32
    assert max(smaller.values()) <= 1  # one remainder per width


def test_the_order_depends_on_seed_and_epoch(lengths):
    def order(seed: int, epoch: int) -> list[list[int]]:
        sampler = BucketBatchSampler(lengths, ENCODING, 32, seed)
        sampler.set_epoch(epoch)
        return list(sampler)

    assert order(5, 0) == order(5, 0)
    assert order(5, 3) == order(5, 3)
    assert order(5, 0) != order(5, 1)
    assert order(5, 0) != order(6, 0)
    together = [{frozenset(batch) for batch in order(5, epoch)} for epoch in (0, 1)]
    assert len(together[0] & together[1]) < len(together[0]) / 4  # the batches themselves differ, not only their order


def test_training_batches_are_not_sorted_by_length(lengths):
    widths = bucket_width(lengths, ENCODING)
    seen = [int(widths[batch[0]]) for batch in BucketBatchSampler(lengths, ENCODING, 32, seed=5)]
    assert seen != sorted(seen)


@pytest.mark.parametrize("world_size", [2, 3, 8])
def test_ranks_take_equal_parts_of_the_batches_of_one_process(lengths, world_size):
    single = [batch for batch in BucketBatchSampler(lengths, ENCODING, 24, seed=5) if len(batch) >= world_size]
    samplers = [BucketBatchSampler(lengths, ENCODING, 24, 5, rank, world_size) for rank in range(world_size)]
    parts = [list(sampler) for sampler in samplers]
    assert {len(part) for part in parts} == {len(sampler) for sampler in samplers} == {len(single)}
    for batch, *split in zip(single, *parts, strict=True):
        assert {len(part) for part in split} == {len(batch) // world_size}
        together = [row for part in split for row in part]
        assert len(set(together)) == len(together) > len(batch) - world_size
        assert set(together) <= set(batch)


def test_evaluation_batches_are_sorted_by_width_in_every_epoch(lengths):
    sampler = BucketBatchSampler(lengths, ENCODING, 32)
    first = list(sampler)
    sampler.set_epoch(4)
    assert list(sampler) == first
    widths = bucket_width(lengths, ENCODING)
    rows = [row for batch in first for row in batch]
    assert rows == sorted(range(1003), key=lambda row: (widths[row], row))
