"""Which reviews are trained on and which are scored, and in which batches."""

import pytest
import torch

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.datamodule import EVALUATION_BATCH, ReviewsDataModule

ENCODING = Encoding(vocab_size=300, max_length=48, truncation="both", padding="back")


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


def reviews_of(tokens, *splits: str) -> list[tuple]:
    reviews = TokenizedReviews(tokens, list(splits), ENCODING)
    return reviews_in([reviews[[row]] for row in range(len(reviews))])


@pytest.mark.parametrize(
    ("protocol", "trained", "scored"),
    [("holdout", ["train"], "validation"), ("document", ["train", "validation"], "test")],
)
def test_the_protocol_names_what_is_trained_on_and_what_is_scored(tokens, protocol, trained, scored):
    data = module(tokens, protocol)
    assert reviews_in(data.train_dataloader()) == reviews_of(tokens, *trained)
    assert reviews_in(data.val_dataloader()) == reviews_of(tokens, scored)


def test_no_review_is_both_trained_on_and_scored(tokens):
    for protocol in ("holdout", "document"):
        data = module(tokens, protocol)
        assert {ids for ids, _ in reviews_in(data.train_dataloader())}.isdisjoint(
            ids for ids, _ in reviews_in(data.val_dataloader())
        )


def test_train_batches_follow_the_seed_and_are_no_larger_than_asked(tokens):
    def ids(seed: int) -> list[list]:
        return [batch.ids.tolist() for batch in module(tokens, seed=seed).train_dataloader()]

    assert ids(1) == ids(1)
    assert ids(1) != ids(2)
    sizes = [len(batch[0]) for batch in ids(1)]
    assert max(sizes) == 16
    assert len(sizes) == len(module(tokens).train_dataloader())


def test_scored_batches_are_the_same_every_time(tokens):
    data = module(tokens, "document")
    first, second = list(data.val_dataloader()), list(data.val_dataloader())
    assert len(first) == len(second)
    for one, other in zip(first, second, strict=True):
        assert torch.equal(one.ids, other.ids)
        assert torch.equal(one.labels, other.labels)
        assert len(one.labels) <= EVALUATION_BATCH


def test_a_fraction_of_the_training_reviews_leaves_the_scored_ones_whole(tokens):
    data = module(tokens, train_fraction=0.5)
    whole = reviews_of(tokens, "train")
    part = reviews_in(data.train_dataloader())
    assert len(part) == round(len(whole) / 2)
    assert set(part) <= set(whole)
    assert reviews_in(data.val_dataloader()) == reviews_of(tokens, "validation")


def test_missing_tokens_are_told_in_one_line(tmp_path):
    with pytest.raises(UserError, match="dvc repro tokenize"):
        module(tmp_path)
