"""The classifier: independence of the batch and of padding, dropout, readout, merge modes, overfitting."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from conftest import shrunk_values
from torch import Tensor, nn

from sentiment_rnn.data import tokenizer
from sentiment_rnn.data.batches import Encoding, pad
from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.models import ENCODERS, Classifier
from sentiment_rnn.models.merging import mean_probability

ARCHITECTURES = list(shrunk_values()["models"])


def random_reviews(lengths: list[int], vocab_size: int) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [random.integers(1, vocab_size, length) for length in lengths]


def small(**changes: object) -> Classifier:
    values = {
        "vocab_size": 50, "embedding_size": 8, "bigram_size": 0, "bigram_buckets": 20,
        "cell": "lstm", "hidden_size": 6, "num_layers": 1,
        "bidirectional": True, "initializer": "keras", "chrono_init": None,
        "merge_mode": "concat", "cell_options": {},
        "pooling": ["max"], "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
    }  # fmt: skip
    torch.manual_seed(0)
    return Classifier(**(values | changes))


def build(chosen, name: str) -> Classifier:
    """An architecture of params.yaml in eval mode, with embeddings large enough for reviews to differ."""
    torch.manual_seed(0)
    model = Classifier(**chosen.model_of(name).architecture()).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(20)
    return model


def assert_same(logits: Tensor, expected: Tensor) -> None:
    torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_a_reviews_logit_is_the_same_alone_and_in_any_batch(chosen, name):
    model, encoding = build(chosen, name), Encoding(**chosen.model_of(name).encoding())
    reviews = random_reviews([1, 2, 5, 17, 31, 32, 33, 47, 48, 49, 90], encoding.vocab_size)
    alone = torch.cat([model(*pad([review], encoding)) for review in reviews])
    assert alone.std() > 0.05  # else all logits would be equal
    assert_same(model(*pad(reviews, encoding)), alone)
    assert_same(model(*pad(reviews[::-1], encoding)), alone.flip(0))
    assert_same(model(*pad(reviews[:4], encoding)), alone[:4])
    assert_same(model(*pad([reviews[0]] * 40 + [reviews[-1]], encoding))[[0, 39, 40]], alone[[0, 0, -1]])


@pytest.mark.parametrize("extra", [1, 13, 100])
@pytest.mark.parametrize("name", ARCHITECTURES)
@torch.no_grad()
def test_neither_the_amount_nor_the_values_of_padding_change_a_logit(chosen, name, extra):
    model, encoding = build(chosen, name), Encoding(**chosen.model_of(name).encoding())
    ids, lengths = pad(random_reviews([3, 11, 32], encoding.vocab_size), encoding._replace(padding="post"))
    expected = model(ids, lengths)
    for filling in (0, 7):
        assert_same(model(F.pad(ids, (0, 0, 0, extra), value=filling), lengths), expected)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_gradients_reach_every_parameter_and_not_padding(chosen, name):
    torch.manual_seed(0)  # with some weights all maxima of the convolutional LSTM are in its first window
    model = Classifier(**chosen.model_of(name).architecture() | {"word_dropout": 0.0}).train()
    ids, lengths = pad(random_reviews([3, 11, 30], 100), Encoding(100, 48, "head", "post"))
    model(ids, lengths).square().sum().backward()
    for parameter_name, parameter in model.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.abs().sum() > 0, parameter_name
    if model.embedding.weight.requires_grad:
        assert model.embedding.weight.grad[0].abs().sum() == 0


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_dropout_is_off_in_evaluation_and_on_in_training(chosen, name):
    model = Classifier(**chosen.model_of(name).architecture() | {"dropout": 0.5}).eval()
    ids, lengths = pad(random_reviews([30, 40], 100), Encoding(100, 48, "head", "post"))
    with torch.no_grad():
        assert torch.equal(model(ids, lengths), model(ids, lengths))
        model.train()
        assert not torch.equal(model(ids, lengths), model(ids, lengths))


def encoder_input(model: Classifier, ids: Tensor) -> Tensor:
    """The input of the encoder relative to the embeddings: `(T, B, E)` factors."""
    inputs_seen = []
    hook = model.encoder.register_forward_pre_hook(lambda _, inputs: inputs_seen.append(inputs[0].detach()))
    model(ids, torch.full((ids.shape[1],), ids.shape[0]))
    hook.remove()
    return inputs_seen[0] / model.embedding(ids).detach()


IDS = torch.randint(1, 50, (60, 40), generator=torch.Generator().manual_seed(0))


def test_word_dropout_drops_whole_tokens_and_keeps_the_expectation():
    factors = encoder_input(small(word_dropout=0.3).train(), IDS)
    torch.testing.assert_close(factors, factors[:, :, :1].expand_as(factors))
    retained = factors[:, :, 0] != 0
    assert 1 - retained.float().mean().item() == pytest.approx(0.3, abs=0.04)
    torch.testing.assert_close(factors[retained], torch.full_like(factors[retained], 1 / 0.7))
    assert not (retained == retained[:1]).all()
    assert not (retained == retained[:, :1]).all()


def test_embedding_dropout_drops_the_same_features_at_every_step_of_a_review():
    factors = encoder_input(small(embedding_dropout=0.4).train(), IDS)
    torch.testing.assert_close(factors, factors[:1].expand_as(factors))
    retained = factors[0] != 0
    assert 1 - retained.float().mean().item() == pytest.approx(0.4, abs=0.1)
    torch.testing.assert_close(factors[0][retained], torch.full_like(factors[0][retained], 1 / 0.6))
    assert not (retained == retained[:1]).all()  # other features in another review


@torch.no_grad()
def test_the_readout_is_linear_in_the_concatenated_poolings():
    model = small(pooling=["last", "mean", "max"]).eval()
    lengths = torch.full((40,), 60)
    states = model.encoder(model.embedding(IDS), lengths)
    last = torch.cat([states[-1, :, :6], states[0, :, 6:]], dim=1)
    features = torch.cat([last, states.mean(0), states.amax(0)], dim=1)
    expected = features @ model.readout.weight[0] + model.readout.bias
    assert model(IDS, lengths).shape == (40,)
    assert_same(model(IDS, lengths), expected)


@pytest.mark.parametrize("merge_mode", ["sum", "mean", "max", "probability"])
@torch.no_grad()
def test_merge_modes_combine_the_directions(merge_mode):
    model = small(merge_mode=merge_mode, pooling=["mean", "max"]).eval()
    model.readout.bias.fill_(0.3)
    lengths = torch.full((40,), 60)
    states = model.encoder(model.embedding(IDS), lengths)
    forward, backward = (torch.cat([half.mean(0), half.amax(0)], dim=1) for half in states.split(6, dim=2))
    if merge_mode == "probability":
        each = [torch.sigmoid(model.readout(forward)), torch.sigmoid(model.backward_readout(backward))]
        expected = torch.logit(sum(each) / 2).squeeze(1)
    else:
        merged = {"sum": forward + backward, "mean": (forward + backward) / 2, "max": torch.maximum(forward, backward)}
        expected = model.readout(merged[merge_mode]).squeeze(1)
    assert_same(model(IDS, lengths), expected)


def test_mean_probability_of_extreme_logits():
    logits = mean_probability(torch.tensor([200.0, -200.0, 200.0]), torch.tensor([200.0, -200.0, -200.0]))
    torch.testing.assert_close(logits, torch.tensor([200.0, -200.0, 0.0]))


def test_of_a_reservoir_only_the_readout_is_trained():
    model = small(cell="echo_state", bidirectional=False, hidden_size=40, bigram_size=4, pooling=["mean"]).train()
    assert {name for name, weights in model.named_parameters() if weights.requires_grad} == {
        "readout.weight",
        "readout.bias",
    }


# except a small reservoir, of which only the readout is trained
@pytest.mark.parametrize("cell", [cell for cell in ENCODERS if cell != "echo_state"])
def test_a_model_can_overfit_32_reviews(cell):
    texts, labels = generate(32, seed=1)
    words = tokenizer.train(texts, vocab_size=1000, min_frequency=1)
    encoding = Encoding(words.get_vocab_size(), 60, "head_tail", "post")
    ids, lengths = pad(list(tokenizer.encode(words, texts)), encoding)
    targets = torch.tensor(labels, dtype=torch.float32)
    model = small(
        vocab_size=encoding.vocab_size,
        cell=cell,
        embedding_size=32,
        hidden_size=16,
        cell_options={"transformer": {"num_heads": 2}, "conv_lstm": {"window": 4}}.get(cell, {}),
    ).train()
    optimizer = torch.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(50):
        loss = F.binary_cross_entropy_with_logits(model(ids, lengths), targets)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
    with torch.no_grad():
        accuracy = ((model.eval()(ids, lengths) > 0) == (targets > 0)).float().mean()
    assert accuracy > 0.95
