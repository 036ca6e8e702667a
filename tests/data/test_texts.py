"""Texts of the splits are those that the networks read as ids, in the same order."""

import json
import shutil

import numpy as np
import pytest

from sentiment_rnn.data import texts, tokenizer
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError


@pytest.fixture(scope="module")
def raw(tokens):
    return tokens.parent / "raw"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_texts_and_token_ids_are_the_same_reviews(raw, tokens, split):
    reviews = texts.load(raw, tokens, split)
    networks = TokenizedReviews(tokens, [split], Encoding(500, 48, "head", "post"))
    words = tokenizer.Tokenizer.from_file(str(tokens / "tokenizer.json"))
    assert len(reviews.texts) == len(networks) > 0
    assert np.array_equal(reviews.labels, networks.labels)
    for row, ids in enumerate(tokenizer.encode(words, reviews.texts)):
        assert np.array_equal(ids, networks.token_ids(row))


def test_tokens_of_other_reviews_are_refused(raw, tokens, tmp_path):
    other = tmp_path / "raw"
    shutil.copytree(raw, other)
    identity = json.loads((other / "dataset.json").read_text())
    identity["content_hashes"]["train"] = "another"
    (other / "dataset.json").write_text(json.dumps(identity))
    with pytest.raises(UserError, match=r"made from other reviews .* run `dvc repro tokenize`"):
        texts.load(other, tokens, "train")


def test_the_error_for_a_missing_folder_has_a_cure(raw, tokens, tmp_path):
    with pytest.raises(UserError, match="run `dvc repro`"):
        texts.load(tmp_path, tokens, "train")
    with pytest.raises(UserError, match="dev is missing: run `dvc repro tokenize`"):
        texts.load(raw, tokens, "dev")
