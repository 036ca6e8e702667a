"""Probabilities of raw texts: independent of each other, and equal to those of the tokenized split."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_split
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.evaluation.metrics import probabilities
from sentiment_rnn.inference import logits, serialization
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.models import Classifier

PARAMS = params.Params.model_validate(shrunk_values())
NAMES = ["rnn", "bilstm", "stacked_bilstm", "bilstm_keras"]


@pytest.fixture(scope="module", params=NAMES)
def predictor(request, tokens, tmp_path_factory) -> Predictor:
    """A model with large weights, so that the probabilities of texts differ."""
    model = PARAMS.model_of(request.param)
    folder = tmp_path_factory.mktemp(request.param)
    torch.manual_seed(0)
    classifier = Classifier(**model.architecture())
    torch.nn.init.normal_(classifier.embedding.weight)
    torch.nn.init.normal_(classifier.readout.weight)
    serialization.save(classifier, model.architecture(), Encoding(**model.encoding()), folder)
    return Predictor(folder, tokens / "tokenizer.json")


def test_a_probability_does_not_depend_on_the_other_texts(predictor):
    texts = [*generate(150, seed=3)[0], "good", "bad film", "word " * 300]  # more than one batch, every length
    together = predictor.predict_probabilities(texts)
    assert together.shape == (len(texts),)
    assert together.std() > 0.05, "the texts must differ for the comparison to mean something"
    order = np.random.default_rng(0).permutation(len(texts))
    assert np.allclose(
        predictor.predict_probabilities([texts[row] for row in order]), together[order], rtol=0, atol=1e-6
    )
    for row in (0, 70, len(texts) - 3, len(texts) - 2, len(texts) - 1):
        assert predictor.predict_probabilities([texts[row]])[0] == pytest.approx(together[row], abs=1e-6)


def test_raw_texts_have_the_probabilities_of_the_tokenized_split(predictor, tokens):
    texts = load_split(tokens.parent / "raw", "test").texts
    predicted = logits.predict_logits(predictor.model, TokenizedReviews(tokens, ["test"], predictor.encoding))
    assert np.allclose(predictor.predict_probabilities(texts), probabilities(predicted), rtol=0, atol=1e-6)


def test_a_temperature_divides_the_logits_and_changes_no_label(tokens, tmp_path):
    model = PARAMS.model_of("bilstm")
    torch.manual_seed(0)
    classifier = Classifier(**model.architecture())
    torch.nn.init.normal_(classifier.embedding.weight)
    logits = []
    for name, temperature in (("raw", None), ("calibrated", 2.5)):
        serialization.save(classifier, model.architecture(), Encoding(**model.encoding()), tmp_path / name, temperature)
        positive = Predictor(tmp_path / name, tokens / "tokenizer.json").predict_probabilities(generate(60, seed=3)[0])
        logits.append(np.log(positive / (1 - positive)))
    raw, calibrated = logits
    assert raw.std() > 0.05
    assert np.allclose(calibrated, raw / 2.5, rtol=0, atol=1e-6)
    assert np.array_equal(calibrated >= 0, raw >= 0)


def test_no_texts_give_no_probabilities(predictor):
    assert predictor.predict_probabilities([]).shape == (0,)


@pytest.mark.parametrize("blank", ["", " \n\t", "<br /><br />"])
def test_a_text_without_words_is_refused_with_its_position(predictor, blank):
    with pytest.raises(ValueError, match=r"^text 2 has no words"):
        predictor.predict_probabilities(["good", "bad", blank, "fine"])


def test_unknown_words_are_accepted(predictor):
    (probability,) = predictor.predict_probabilities(["zyxwvut qqqqq"])
    assert 0 < probability < 1
