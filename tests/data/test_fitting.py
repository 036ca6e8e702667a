"""A model's vocabulary, length and epochs, reduced to what the data set has."""

import json
import shutil

import numpy as np
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.fitting import fit_to_data

PARAMS = params.Params.model_validate(shrunk_values())


def test_vocabulary_and_length_are_upper_limits(tokens):
    model = PARAMS.model_of("bilstm")
    words = len(json.loads((tokens / "tokenizer.json").read_text())["model"]["vocab"])
    lengths = TokenizedReviews(tokens, ["train"], Encoding(**model.encoding())).lengths
    large = fit_to_data(model.model_copy(update={"vocab_size": 10**6, "max_length": 10**4}), tokens)
    assert large.vocab_size == words
    assert np.mean(lengths <= large.max_length) >= 0.99
    assert large.max_length <= lengths.max()
    small = model.model_copy(update={"vocab_size": 50, "max_length": 5})
    assert fit_to_data(small, tokens) == small


def test_without_unlabeled_texts_the_epochs_of_the_distillation_are_spent_on_the_labels(tokens, tmp_path):
    model = PARAMS.model_of("best")
    assert fit_to_data(model, tokens).max_epochs == model.max_epochs
    folder = tmp_path / "tokens"
    shutil.copytree(tokens, folder)
    shutil.rmtree(folder / "unsupervised")
    store.save_tokens([], np.empty(0, int), np.empty(0, int), folder / "unsupervised")
    assert not len(TokenizedReviews(folder, ["unsupervised"], Encoding(**model.encoding())))
    assert fit_to_data(model, folder).max_epochs == model.max_epochs + model.distillation_epochs


def test_few_texts_get_more_epochs_until_there_are_min_steps(tokens):
    model = PARAMS.model_of("bilstm")
    train = len(TokenizedReviews(tokens, ["train"], Encoding(**model.encoding())))
    steps = -(-train // model.batch_size)
    fitted = fit_to_data(model, tokens, min_steps=10 * steps)
    assert (fitted.max_epochs, fitted.patience) == (10, 5 * model.patience)
    assert fit_to_data(model, tokens, min_steps=steps).max_epochs == model.max_epochs
    evolved = PARAMS.model_of("evolved_lstm")
    assert fit_to_data(evolved, tokens, min_steps=10**6).max_epochs == evolved.max_epochs
