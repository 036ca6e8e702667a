"""The trace: words as they stand, pooling that sums to one, and what the served function says of each prefix."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain.trace import pooling_shares, trace
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.models import Classifier

PARAMS = params.Params.model_validate(shrunk_values())
NAMES = [
    "rnn", "bilstm", "bigru", "stacked_bilstm", "coupled_lstm", "mlstm", "attention_bilstm", "conv_lstm",
    "probability_bilstm", "echo_state", "transformer", "evolved_lstm", "bilstm_keras", "best",
]  # fmt: skip
TEXT = "I expected nothing, but the film isn't bad: I LOVED it"
WORDS = ["I", "expected", "nothing", ",", "but", "the", "film", "isn't", "bad", ":", "I", "LOVED", "it"]


def drawn(name: str, seed: int) -> Classifier:
    """A model whose readout is large, so that words change what it says."""
    torch.manual_seed(seed)
    model = Classifier(**PARAMS.model_of(name).architecture()).eval()
    torch.nn.init.normal_(model.embedding.weight)
    torch.nn.init.normal_(model.readout.weight, std=4)
    return model


def predictor(name: str, tokens, folder) -> Predictor:
    """What is served of an architecture: one model, or of `best` the average of two, with a temperature."""
    asked = PARAMS.model_of(name)
    model = Ensemble([drawn(name, 0), drawn(name, 1)]) if name == "best" else drawn(name, 0)
    serialization.save(model, asked.architecture(), Encoding(**asked.encoding()), folder, 1.7)
    return Predictor(folder, tokens / "tokenizer.json")


@pytest.mark.parametrize("name", NAMES)
def test_every_word_is_shown_with_what_is_said_up_to_it(name, tokens, tmp_path):
    served = predictor(name, tokens, tmp_path)
    walked = trace(served, TEXT)
    padded = PARAMS.model_of(name).padding == "front"
    count = len(WORDS) + padded
    if padded:
        assert walked.words[0] == f"padding x {served.encoding.max_length - len(WORDS)}"
        assert np.isnan(walked.probability[0])
    assert walked.words[padded:] == WORDS

    prefixes = [TEXT[: TEXT.index(end) + len(end)] for end in ("I", "nothing", "isn't", "LOVED")]
    said = walked.probability[[padded + WORDS.index(end) for end in ("I", "nothing", "isn't", "LOVED")]]
    assert said == pytest.approx(served.positive(prefixes), abs=1e-6)
    assert walked.probability[-1] == pytest.approx(served.positive([TEXT])[0], abs=1e-6)
    assert np.nanstd(walked.probability) > 0.01, "words must make a difference for the comparison to mean something"

    assert list(walked.pooling) == PARAMS.model_of(name).pooling
    for shares in walked.pooling.values():
        assert shares.shape == (count,)
        assert shares.sum() == pytest.approx(1, abs=1e-6)
    for measures in walked.cells.values():
        assert "|h|" in measures
        for measure, values in measures.items():
            assert values.shape == (count,)
            assert (values > 0).all()
            assert measure.startswith("|") or (values < 1).all()
    has_gates = name not in ("rnn", "echo_state", "transformer")
    assert has_gates == ("this model has no gates: shown is the norm of its states" not in walked.notes)


def test_of_an_average_the_first_members_cells_and_the_probability_of_all(tokens, tmp_path):
    together = trace(predictor("best", tokens, tmp_path / "both"), TEXT)
    asked = PARAMS.model_of("best")
    serialization.save(drawn("best", 0), asked.architecture(), Encoding(**asked.encoding()), tmp_path / "first", 1.7)
    first = trace(Predictor(tmp_path / "first", tokens / "tokenizer.json"), TEXT)
    for direction, measures in first.cells.items():
        for name, values in measures.items():
            assert np.array_equal(together.cells[direction][name], values)
    assert not np.allclose(together.probability, first.probability, atol=1e-3)
    assert "the first of its 2 members" in together.notes[0]


def test_of_a_long_review_the_words_that_are_read_and_the_answer_to_all_of_it(tokens, tmp_path):
    served = predictor("bilstm", tokens, tmp_path)
    text = " ".join(generate(6, seed=3)[0])
    count = len(served.tokenizer.encode(text))
    walked = trace(served, text)
    assert count > served.encoding.max_length == len(walked.words) == len(walked.probability)
    assert f"the model reads {served.encoding.max_length} of the text's {count} words" in walked.notes
    assert walked.probability[-1] == pytest.approx(served.positive([text])[0], abs=1e-6)


@torch.inference_mode()
def test_shares_are_what_pooling_takes():
    """Each way of pooling, written with its shares, gives what the model's own gives."""
    model = Classifier(**PARAMS.model_of("bilstm").architecture() | {"pooling": ["last", "mean", "max", "attention"]})
    states, lengths = torch.randn(9, 1, model.encoder.output_size), torch.tensor([9])
    shares = pooling_shares(model, states)
    own = model.features(states, lengths)[0].unflatten(1, (4, -1))[0]
    for name, row in (("mean", 1), ("attention", 3)):
        torch.testing.assert_close(own[row], shares[name] @ states[:, 0])
    taken = states[:, 0] == own[2]  # the maximum of each unit stands at one step
    torch.testing.assert_close(shares["max"], taken.float().mean(dim=1))
    assert torch.equal(shares["last"], torch.tensor([0.5, 0, 0, 0, 0, 0, 0, 0, 0.5]))


def test_words_are_text_and_nothing_else(tokens, tmp_path):
    served = predictor("bilstm", tokens, tmp_path)
    walked = trace(served, "<br />\x1b[31m İstanbul 😀 zyxwv" + "x" * 5000)
    assert walked.words == ["\ufffd", "[", "31m", "İstanbul", "😀", "zyxwvxxxxxxxx…"]
    assert not walked.known.any()
    assert "grey: words that the model does not know" in walked.notes


@pytest.mark.parametrize("blank", ["", " \n\t", "<br /><br />"])
def test_a_text_without_words_is_refused(blank, tokens, tmp_path):
    with pytest.raises(UserError, match=r"^the text has no words: make inspect TEXT="):
        trace(predictor("bilstm", tokens, tmp_path), blank)


def test_a_text_that_is_not_utf8_is_refused(tokens, tmp_path):
    with pytest.raises(UserError, match=r"^the text is not UTF-8$"):
        trace(predictor("bilstm", tokens, tmp_path), b"good \xff film".decode(errors="surrogateescape"))
