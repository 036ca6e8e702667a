"""The trace: words as in the text, pooling that sums to one, the served probability of each prefix."""

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


def random_model(name: str, seed: int) -> Classifier:
    """An untrained model with a large readout, so that its probability depends on the words."""
    torch.manual_seed(seed)
    model = Classifier(**PARAMS.model_of(name).architecture()).eval()
    torch.nn.init.normal_(model.embedding.weight)
    torch.nn.init.normal_(model.readout.weight, std=4)
    return model


def predictor(name: str, tokens, folder) -> Predictor:
    """A predictor with a temperature: one model, or for `best` an ensemble of two."""
    values = PARAMS.model_of(name)
    model = Ensemble([random_model(name, 0), random_model(name, 1)]) if name == "best" else random_model(name, 0)
    serialization.save(model, values.architecture(), Encoding(**values.encoding()), folder, 1.7)
    return Predictor(folder, tokens / "tokenizer.json")


@pytest.mark.parametrize("name", NAMES)
def test_every_word_has_its_cells_its_shares_and_the_probability_so_far(name, tokens, tmp_path):
    served = predictor(name, tokens, tmp_path)
    traced = trace(served, TEXT)
    padded = PARAMS.model_of(name).padding == "pre"
    count = len(WORDS) + padded
    if padded:
        assert traced.words[0] == f"padding x {served.encoding.max_length - len(WORDS)}"
        assert np.isnan(traced.probability[0])
    assert traced.words[padded:] == WORDS

    prefixes = [TEXT[: TEXT.index(end) + len(end)] for end in ("I", "nothing", "isn't", "LOVED")]
    probability = traced.probability[[padded + WORDS.index(end) for end in ("I", "nothing", "isn't", "LOVED")]]
    assert probability == pytest.approx(served.predict_probabilities(prefixes), abs=1e-6)
    assert traced.probability[-1] == pytest.approx(served.predict_probabilities([TEXT])[0], abs=1e-6)
    assert np.nanstd(traced.probability) > 0.01, (
        "the words must change the probability, or the comparison shows nothing"
    )

    assert list(traced.pooling) == PARAMS.model_of(name).pooling
    for shares in traced.pooling.values():
        assert shares.shape == (count,)
        assert shares.sum() == pytest.approx(1, abs=1e-6)
    for measures in traced.cells.values():
        assert "|h|" in measures
        for measure, values in measures.items():
            assert values.shape == (count,)
            assert (values > 0).all()
            assert measure.startswith("|") or (values < 1).all()
    has_gates = name not in ("rnn", "echo_state", "transformer")
    assert has_gates == ("this model has no gates: the norm of its states is shown" not in traced.notes)


def test_an_ensemble_has_the_first_members_cells_and_its_own_probability(tokens, tmp_path):
    together = trace(predictor("best", tokens, tmp_path / "both"), TEXT)
    values = PARAMS.model_of("best")
    serialization.save(
        random_model("best", 0), values.architecture(), Encoding(**values.encoding()), tmp_path / "first", 1.7
    )
    first = trace(Predictor(tmp_path / "first", tokens / "tokenizer.json"), TEXT)
    for direction, measures in first.cells.items():
        for name, values in measures.items():
            assert np.array_equal(together.cells[direction][name], values)
    assert not np.allclose(together.probability, first.probability, atol=1e-3)
    assert "the first of 2 members" in together.notes[0]


def test_a_long_review_is_truncated_as_for_prediction(tokens, tmp_path):
    served = predictor("bilstm", tokens, tmp_path)
    text = " ".join(generate(6, seed=3)[0])
    count = len(served.tokenizer.encode(text))
    traced = trace(served, text)
    assert count > served.encoding.max_length == len(traced.words) == len(traced.probability)
    assert f"the model uses {served.encoding.max_length} of the text's {count} words" in traced.notes
    assert traced.probability[-1] == pytest.approx(served.predict_probabilities([text])[0], abs=1e-6)


@torch.inference_mode()
def test_shares_reproduce_the_pooled_vector():
    """The pooled vector computed from the shares equals the model's own."""
    model = Classifier(**PARAMS.model_of("bilstm").architecture() | {"pooling": ["last", "mean", "max", "attention"]})
    states, lengths = torch.randn(9, 1, model.encoder.output_size), torch.tensor([9])
    shares = pooling_shares(model, states)
    own = model.pool(states, lengths)[0].unflatten(1, (4, -1))[0]
    for name, row in (("mean", 1), ("attention", 3)):
        torch.testing.assert_close(own[row], shares[name] @ states[:, 0])
    maximal = states[:, 0] == own[2]  # each unit has its maximum at one step
    torch.testing.assert_close(shares["max"], maximal.float().mean(dim=1))
    assert torch.equal(shares["last"], torch.tensor([0.5, 0, 0, 0, 0, 0, 0, 0, 0.5]))


def test_words_have_no_markup_and_no_control_characters(tokens, tmp_path):
    served = predictor("bilstm", tokens, tmp_path)
    traced = trace(served, "<br />\x1b[31m İstanbul 😀 zyxwv" + "x" * 5000)
    assert traced.words == ["\ufffd", "[", "31m", "İstanbul", "😀", "zyxwvxxxxxxxx…"]
    assert not traced.known.any()
    assert "gray: words outside the model's vocabulary" in traced.notes


@pytest.mark.parametrize("blank", ["", " \n\t", "<br /><br />"])
def test_a_text_without_words_is_an_error(blank, tokens, tmp_path):
    with pytest.raises(UserError, match=r"^the text has no words: `sentiment-rnn explain "):
        trace(predictor("bilstm", tokens, tmp_path), blank)


def test_a_text_that_is_not_utf8_is_an_error(tokens, tmp_path):
    with pytest.raises(UserError, match=r"^the text is not UTF-8"):
        trace(predictor("bilstm", tokens, tmp_path), b"good \xff film".decode(errors="surrogateescape"))
