"""The stage tokenize: which rows are train's and which are validation's."""

import numpy as np
import pytest
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data import imdb
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.data.tokenize_stage import BY_MOVIE, split_rows


@pytest.mark.parametrize("by_movie", [False, True])
def test_neither_train_nor_validation_has_a_text_of_test(monkeypatch, by_movie):
    texts, labels = generate(400, seed=3)
    train, test = Split(texts, labels), Split([*texts[:40], "another one"], [*labels[:40], 0])
    monkeypatch.setattr(imdb, "in_hub_order", lambda _: by_movie)
    monkeypatch.setattr(imdb, "movie_disjoint_validation", lambda: np.arange(20, 60))
    splits = {"train": train, "test": test, "unsupervised": Split([], [])}
    rows, how = split_rows(splits, params.Params.model_validate(shrunk_values()).data)
    assert (how == BY_MOVIE) == by_movie
    used = np.concatenate([rows["train"], rows["validation"]])
    assert {texts[row] for row in used} == set(texts) - set(test.texts)
    assert len(rows["validation"]) >= 20
