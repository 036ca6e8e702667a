"""Training and evaluated reviews of each protocol, and their batches."""

import pytest
import torch

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.datamodule import EVALUATION_BATCH, ReviewsDataModule

ENCODING = Encoding(vocab_size=300, max_length=48, truncation="head_tail", padding="post")


def module(tokens, protocol="holdout", seed=1, **others) -> ReviewsDataModule:
    return ReviewsDataModule(tokens, ENCODING, batch_size=16, protocol=protocol, seed=seed, **others)


def reviews_in(loader) -> list[tuple]:
    """Every review of a loader's batches as (tokens, label), sorted."""
    return sorted(
        (tuple(column[:length]), label)
        for batch in loader
        for column, length, label in zip(
            batch.ids.t().tolist(), batch.lengths.tolist(), batch.labels.tolist(), strict=True
        )
    )


def reviews_in_splits(tokens, *splits: str) -> list[tuple]:
    reviews = TokenizedReviews(tokens, list(splits), ENCODING)
    return reviews_in([reviews[[row]] for row in range(len(reviews))])


@pytest.mark.parametrize(
    ("protocol", "train_splits", "eval_split"),
    [("holdout", ["train"], "validation"), ("keras_reference", ["train", "validation"], "test")],
)
def test_training_and_eval_splits_of_the_protocols(tokens, protocol, train_splits, eval_split):
    data = module(tokens, protocol)
    assert reviews_in(data.train_dataloader()) == reviews_in_splits(tokens, *train_splits)
    assert reviews_in(data.val_dataloader()) == reviews_in_splits(tokens, eval_split)


def test_train_batches_depend_on_the_seed(tokens):
    def ids(seed: int) -> list[list]:
        return [batch.ids.tolist() for batch in module(tokens, seed=seed).train_dataloader()]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
    sizes = [len(batch[0]) for batch in ids(1)]
    assert max(sizes) == 16
    assert len(sizes) == len(module(tokens).train_dataloader())


def test_evaluated_batches_are_the_same_every_time(tokens):
    data = module(tokens, "keras_reference")
    first, second = list(data.val_dataloader()), list(data.val_dataloader())
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.ids, other.ids)
        assert torch.equal(one.labels, other.labels)
        assert len(one.labels) <= EVALUATION_BATCH


def test_train_fraction_does_not_change_the_evaluated_reviews(tokens):
    data = module(tokens, train_fraction=0.5)
    whole = reviews_in_splits(tokens, "train")
    part = reviews_in(data.train_dataloader())
    assert len(part) == round(len(whole) / 2)
    assert set(part) <= set(whole)
    assert reviews_in(data.val_dataloader()) == reviews_in_splits(tokens, "validation")


def test_missing_tokens_are_an_error_that_names_the_stage(tmp_path):
    with pytest.raises(UserError, match="dvc repro tokenize"):
        module(tmp_path)
