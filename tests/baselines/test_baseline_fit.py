"""What a baseline learns, and that validation alone chooses C."""

import numpy as np
import pytest
from scipy.optimize import minimize
from sklearn.feature_extraction.text import TfidfVectorizer

from sentiment_rnn.baselines.fit import fit
from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.data.texts import Reviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import BaselineParams

PARAMS = BaselineParams(max_ngram=2, min_df=2, c=[0.01, 0.1, 1, 10])


@pytest.fixture(scope="module")
def splits(tokens) -> tuple[Reviews, Reviews]:
    raw = tokens.parent / "raw"
    return reviews.load(raw, tokens, "train"), reviews.load(raw, tokens, "validation")


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_the_candidate_with_the_least_validation_loss_is_chosen(name, splits):
    done = fit(name, PARAMS, *splits)
    assert [candidate["c"] for candidate in done.candidates] == PARAMS.c
    assert done.chosen == min(done.candidates, key=lambda candidate: candidate["validation_loss"])
    positive = 1 / (1 + np.exp(-done.model.logits(splits[1].texts)))
    truth = splits[1].labels
    assert done.chosen["validation_loss"] == pytest.approx(-np.log(np.where(truth == 1, positive, 1 - positive)).mean())
    assert done.chosen["validation_accuracy"] == ((positive >= 0.5) == truth).mean()
    assert all(candidate["seconds"] > 0 for candidate in done.candidates)


def test_the_weights_are_the_minimum_of_the_penalised_loss(splits):
    train, c = splits[0], 0.5
    features = TfidfVectorizer(
        tokenizer=counter(1).build_analyzer(), token_pattern=None, min_df=30, sublinear_tf=True
    ).fit_transform(train.texts)
    signs = 2.0 * train.labels - 1

    def loss(weights: np.ndarray) -> float:
        margins = signs * (features @ weights[:-1] + weights[-1])
        return c * np.logaddexp(0, -margins).sum() + 0.5 * weights[:-1] @ weights[:-1]

    model = fit("tfidf_logistic", BaselineParams(max_ngram=1, min_df=30, c=[c]), *splits).model
    ours = loss(np.append(model.coefficients, model.intercept))
    assert ours == pytest.approx(minimize(loss, np.zeros(features.shape[1] + 1)).fun, rel=1e-4)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_validation_chooses_c_and_teaches_nothing_else(name, splits):
    train, validation = splits
    other = Reviews(["never seen words"] * 2, np.array([0, 1]))
    one = PARAMS.model_copy(update={"c": [0.1]})
    first, second = (fit(name, one, train, scored).model for scored in (validation, other))
    assert first.ngrams == second.ngrams
    assert np.array_equal(first.coefficients, second.coefficients)


@pytest.mark.parametrize("name", WEIGHTINGS)
def test_what_is_to_be_had_from_words_alone_is_learned(name):
    random = np.random.default_rng(0)
    labels = np.array([0, 1] * 100)
    texts = [f"{random.choice(['so', 'very', 'quite'])} {'good' if label else 'bad'} a film" for label in labels]
    done = fit(name, PARAMS, Reviews(texts[:150], labels[:150]), Reviews(texts[150:], labels[150:]))
    assert done.chosen["validation_accuracy"] == 1
    weight = dict(zip(done.model.ngrams, done.model.scale * done.model.coefficients, strict=True))
    if name == "tfidf_logistic":  # a log-count ratio takes the sign itself: the regression's weights are positive
        assert weight["good"] > 0 > weight["bad"]
    assert done.model.logits(["good"])[0] > 0 > done.model.logits(["bad"])[0]


def test_no_frequent_ngram_is_one_line(splits):
    with pytest.raises(UserError, match=r"^linear.tfidf_logistic.min_df: no n-gram stands in 1000 of the \d+ train"):
        fit("tfidf_logistic", PARAMS.model_copy(update={"min_df": 1000}), *splits)
