"""A baseline's files give the same baseline."""

import numpy as np
import pytest

from sentiment_rnn.baselines import model
from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.errors import UserError

TEXTS = ["A good film , isn\u2019t it ?", "A bad film", "Good , good caf\u00e9 \u2028 scene", ""]


def some(name: str) -> model.LinearModel:
    ngrams = counter(2).fit(TEXTS).get_feature_names_out().tolist()
    random = np.random.default_rng(0)
    scale, coefficients = random.normal(size=(2, len(ngrams)))
    coefficients[:3] = 0
    return model.LinearModel(name, 2, ngrams, scale, coefficients, np.array([0.25]))


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_what_was_saved_says_the_same(name, tmp_path):
    before = some(name)
    model.save(before, tmp_path / "baseline")
    after = model.load(tmp_path / "baseline")
    assert (after.name, after.max_ngram, after.ngrams) == (before.name, before.max_ngram, before.ngrams)
    logits = after.logits(TEXTS)
    assert logits.shape == (len(TEXTS),)
    assert np.array_equal(logits, before.logits(TEXTS))
    assert logits[-1] == 0.25, "a review of unknown n-grams has the intercept"
    assert not [path for path in (tmp_path / "baseline").iterdir() if path.read_bytes()[:1] == b"\x80"], "a pickle"


def test_parameters_are_the_weights_in_use_and_the_intercept():
    baseline = some("nb_logistic")
    assert baseline.parameters == len(baseline.ngrams) - 3 + 1


def test_an_empty_folder_is_told_with_its_cure(tmp_path):
    with pytest.raises(UserError, match="holds no trained model: run `dvc repro linear`"):
        model.load(tmp_path)


@pytest.mark.parametrize("file", [model.NUMBERS, model.DESCRIPTION])
def test_a_file_that_was_cut_off_is_told_with_its_cure(file, tmp_path):
    model.save(some("nb_logistic"), tmp_path / "baseline")
    (tmp_path / "baseline" / file).write_bytes(b'{"cut off')
    with pytest.raises(UserError, match="baseline holds a broken file"):
        model.load(tmp_path / "baseline")
