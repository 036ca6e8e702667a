"""A baseline is the same after it was saved and loaded."""

import numpy as np
import pytest

from sentiment_rnn.baselines import model
from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.errors import UserError

TEXTS = ["A good film , isn\u2019t it ?", "A bad film", "Good , good caf\u00e9 \u2028 scene", ""]


def random_baseline(name: str) -> model.LinearModel:
    ngrams = counter(2).fit(TEXTS).get_feature_names_out().tolist()
    random = np.random.default_rng(0)
    scale, coefficients = random.normal(size=(2, len(ngrams)))
    coefficients[:3] = 0
    return model.LinearModel(name, 2, ngrams, scale, coefficients, np.array([0.25]))


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_a_loaded_baseline_gives_the_same_logits(name, tmp_path):
    before = random_baseline(name)
    model.save(before, tmp_path / "baseline")
    after = model.load(tmp_path / "baseline")
    assert (after.name, after.max_ngram, after.ngrams) == (before.name, before.max_ngram, before.ngrams)
    logits = after.logits(TEXTS)
    assert logits.shape == (len(TEXTS),)
    assert np.array_equal(logits, before.logits(TEXTS))
    assert logits[-1] == 0.25, "a review of unknown n-grams has the intercept"
    assert not [path for path in (tmp_path / "baseline").iterdir() if path.read_bytes()[:1] == b"\x80"], "a pickle"


def test_parameters_are_the_nonzero_coefficients_and_the_intercept():
    baseline = random_baseline("nb_logistic")
    assert baseline.parameters == len(baseline.ngrams) - 3 + 1


def test_the_error_for_an_empty_folder_has_a_cure(tmp_path):
    with pytest.raises(UserError, match="holds no trained model: run `dvc repro baseline`"):
        model.load(tmp_path)


@pytest.mark.parametrize("file", [model.NUMBERS, model.DESCRIPTION])
def test_a_truncated_file_is_refused_in_one_line(file, tmp_path):
    model.save(random_baseline("nb_logistic"), tmp_path / "baseline")
    (tmp_path / "baseline" / file).write_bytes(b'{"cut off')
    with pytest.raises(UserError, match="baseline holds a corrupt file"):
        model.load(tmp_path / "baseline")
