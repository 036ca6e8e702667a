"""The baselines read the same reviews as the networks, in the same order."""

import json
import shutil

import numpy as np
import pytest

from sentiment_rnn.data import tokenizer
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError


@pytest.fixture(scope="module")
def raw(tokens):
    return tokens.parent / "raw"


@pytest.mark.parametrize("split", ["train", "validation", "test"])
def test_each_text_is_the_networks_review(raw, tokens, split):
    texts, labels = reviews.load(raw, tokens, split)
    networks = TokenizedReviews(tokens, [split], Encoding(500, 48, "head", "back"))
    words = tokenizer.Tokenizer.from_file(str(tokens / "tokenizer.json"))
    assert len(texts) == len(networks) > 0
    assert np.array_equal(labels, networks.labels)
    for row, ids in enumerate(tokenizer.encode(words, texts)):
        chunk = networks.ids[networks.chunk[row]]
        assert np.array_equal(ids, chunk[networks.starts[row] : networks.ends[row]])


def test_tokens_of_other_reviews_are_refused(raw, tokens, tmp_path):
    other = tmp_path / "raw"
    shutil.copytree(raw, other)
    identity = json.loads((other / "dataset.json").read_text())
    identity["content_hashes"]["train"] = "another"
    (other / "dataset.json").write_text(json.dumps(identity))
    with pytest.raises(UserError, match=r"made from other reviews .* run `dvc repro tokenize`"):
        reviews.load(other, tokens, "train")


def test_a_missing_folder_is_told_with_its_cure(raw, tokens, tmp_path):
    with pytest.raises(UserError, match="run `dvc repro`"):
        reviews.load(tmp_path, tokens, "train")
    with pytest.raises(UserError, match="dev is not there: run `dvc repro tokenize`"):
        reviews.load(raw, tokens, "dev")
