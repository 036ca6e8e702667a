"""The fit of a baseline against independent minimizers, and the selection of C on validation."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.feature_extraction.text import TfidfVectorizer

from sentiment_rnn.baselines.fit import fit
from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.data import texts
from sentiment_rnn.data.texts import Reviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import BaselineParams

PARAMS = BaselineParams(max_ngram=2, min_df=2, C=[0.01, 0.1, 1, 10])


@pytest.fixture(scope="module")
def splits(tokens) -> tuple[Reviews, Reviews]:
    raw = tokens.parent / "raw"
    return texts.load(raw, tokens, "train"), texts.load(raw, tokens, "validation")


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_the_candidate_with_the_lowest_validation_loss_is_selected(name, splits):
    result = fit(name, PARAMS, *splits)
    assert [candidate["C"] for candidate in result.candidates] == PARAMS.C
    assert result.chosen == min(result.candidates, key=lambda candidate: candidate["validation_loss"])
    positive = 1 / (1 + np.exp(-result.model.logits(splits[1].texts)))
    truth = splits[1].labels
    assert result.chosen["validation_loss"] == pytest.approx(
        -np.log(np.where(truth == 1, positive, 1 - positive)).mean()
    )
    assert result.chosen["validation_accuracy"] == ((positive >= 0.5) == truth).mean()
    assert all(candidate["seconds"] > 0 for candidate in result.candidates)


def test_the_coefficients_minimize_the_penalized_loss(splits):
    train, inverse_penalty = splits[0], 0.5
    features = TfidfVectorizer(
        tokenizer=counter(1).build_analyzer(), token_pattern=None, min_df=30, sublinear_tf=True
    ).fit_transform(train.texts)
    signs = 2.0 * train.labels - 1

    def loss(weights: np.ndarray) -> float:
        margins = signs * (features @ weights[:-1] + weights[-1])
        return inverse_penalty * np.logaddexp(0, -margins).sum() + 0.5 * weights[:-1] @ weights[:-1]

    model = fit("tfidf_logistic", BaselineParams(max_ngram=1, min_df=30, C=[inverse_penalty]), *splits).model
    ours = loss(np.append(model.coefficients, model.intercept))
    assert ours == pytest.approx(minimize(loss, np.zeros(features.shape[1] + 1)).fun, rel=1e-4)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_validation_affects_only_the_selection_of_c(name, splits):
    train, validation = splits
    other = Reviews(["never seen words"] * 2, np.array([0, 1]))
    one = PARAMS.model_copy(update={"C": [0.1]})
    first, second = (fit(name, one, train, reviews).model for reviews in (validation, other))
    assert first.ngrams == second.ngrams
    assert np.array_equal(first.coefficients, second.coefficients)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_separable_classes_are_learned(name):
    random = np.random.default_rng(0)
    labels = np.array([0, 1] * 100)
    reviews = [f"{random.choice(['so', 'very', 'quite'])} {'good' if label else 'bad'} a film" for label in labels]
    result = fit(name, PARAMS, Reviews(reviews[:150], labels[:150]), Reviews(reviews[150:], labels[150:]))
    assert result.chosen["validation_accuracy"] == 1
    weight = dict(zip(result.model.ngrams, result.model.scale * result.model.coefficients, strict=True))
    if name == "tfidf_logistic":  # the log-count ratio already has the sign
        assert weight["good"] > 0 > weight["bad"]
    assert result.model.logits(["good"])[0] > 0 > result.model.logits(["bad"])[0]


def test_no_frequent_ngram_is_a_one_line_error(splits):
    with pytest.raises(UserError, match=r"^params.yaml: baselines.tfidf_logistic.min_df: no n-gram occurs in 1000 of"):
        fit("tfidf_logistic", PARAMS.model_copy(update={"min_df": 1000}), *splits)
