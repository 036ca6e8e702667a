"""Keras's initial values, by their definitions."""

import math

import pytest
import torch

from sentiment_rnn.models import Classifier
from sentiment_rnn.models.cells import ConvLSTM, CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.initializers import initialize

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
HIDDEN, EMBEDDING = 24, 40


@pytest.fixture(params=GATES)
def cell(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def model(cell: str) -> Classifier:
    torch.manual_seed(0)
    return Classifier(
        vocab_size=500, embedding_size=EMBEDDING, bigram_size=0, bigram_buckets=20,
        cell=cell, hidden_size=HIDDEN, num_layers=2, bidirectional=True,
        initial="keras", memory=None, merge="concat", window=4, spectral_radius=0.9, leak=0.5, input_scale=1.0, heads=2,
        pooling=["last", "max"], word_dropout=0.0, embedding_dropout=0.0, dropout=0.0,
    )  # fmt: skip


def layers_of(model: Classifier) -> list:
    return [direction for layer in model.encoder.layers for direction in layer]


def assert_uniform(weights: torch.Tensor, bound: float) -> None:
    """Within the bound, near to it at both ends, and with the variance of a uniform draw."""
    assert weights.abs().max() <= bound
    assert weights.max() > 0.9 * bound
    assert weights.min() < -0.9 * bound
    assert weights.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_embeddings_are_uniform_within_a_twentieth(model):
    assert_uniform(model.embedding.weight.detach(), 0.05)


def test_input_weights_are_glorot_uniform_over_the_gates_together(model, cell):
    rows = GATES[cell] * HIDDEN
    for layer in layers_of(model):
        assert layer.weight_ih_l0.shape[0] == rows
        assert_uniform(layer.weight_ih_l0.detach(), math.sqrt(6 / (layer.weight_ih_l0.shape[1] + rows)))
    readout = model.readout.weight.detach()
    assert readout.abs().max() <= math.sqrt(6 / (4 * HIDDEN + 1))
    assert model.readout.bias.item() == 0


def test_recurrent_weights_are_orthogonal(model):
    for layer in layers_of(model):
        weight = layer.weight_hh_l0.detach()
        torch.testing.assert_close(weight.t() @ weight, torch.eye(HIDDEN), rtol=0, atol=1e-5)


def test_only_the_forget_gate_starts_with_a_bias_and_it_is_1(model, cell):
    for layer in layers_of(model):
        bias = (layer.bias_ih_l0 + layer.bias_hh_l0).detach()
        expected = torch.zeros_like(bias)
        if cell == "lstm":  # torch's order of gates: input, forget, cell, output
            expected[HIDDEN : 2 * HIDDEN] = 1
        assert torch.equal(bias, expected)


def test_layers_and_directions_start_differently(model):
    first, *others = (layer.weight_hh_l0 for layer in layers_of(model))
    assert not any(torch.equal(first, other) for other in others)


@pytest.mark.parametrize(
    ("kind", "gates", "forget"),
    [(PeepholeLSTM, 4, 1), (CoupledLSTM, 3, 0), (MultiplicativeLSTM, 4, 1), (ConvLSTM, 4, 1)],
)
def test_our_own_cells_start_as_torchs_do(kind, gates, forget):
    torch.manual_seed(0)
    cell = kind(EMBEDDING, HIDDEN)
    initialize(cell, "keras", None)
    rows, *sees = cell.weight_ih.shape
    assert rows == gates * HIDDEN
    places = sees[1] if len(sees) == 2 else 1
    assert_uniform(cell.weight_ih.detach(), math.sqrt(6 / (places * (EMBEDDING + rows))))
    recurrent = cell.weight_hh.detach().flatten(1)
    torch.testing.assert_close(recurrent.t() @ recurrent, torch.eye(places * HIDDEN), rtol=0, atol=1e-5)
    expected = torch.zeros(gates, HIDDEN)
    expected[forget] = 1
    assert torch.equal(cell.bias.detach(), expected.flatten())
    assert all(weights.abs().sum() == 0 for name, weights in cell.named_parameters() if name == "peepholes")


def test_the_multiplicative_lstms_own_weights_start_as_the_others_do():
    torch.manual_seed(0)
    cell = MultiplicativeLSTM(EMBEDDING, HIDDEN)
    initialize(cell, "keras", None)
    assert_uniform(cell.weight_im.detach(), math.sqrt(6 / (EMBEDDING + HIDDEN)))
    torch.testing.assert_close(cell.weight_hm.t() @ cell.weight_hm, torch.eye(HIDDEN), rtol=0, atol=1e-5)


def test_torchs_own_values_stay_where_they_are_asked_for():
    torch.manual_seed(0)
    drawn = torch.nn.LSTM(EMBEDDING, HIDDEN)
    before = {name: weights.clone() for name, weights in drawn.named_parameters()}
    initialize(drawn, "torch", None)
    assert all(torch.equal(before[name], weights) for name, weights in drawn.named_parameters())


@pytest.mark.parametrize(
    ("kind", "order"),
    [
        (torch.nn.LSTM, "ifgo"),
        (torch.nn.GRU, "rfn"),
        (PeepholeLSTM, "ifgo"),
        (CoupledLSTM, "fgo"),
        (MultiplicativeLSTM, "ifgo"),
    ],
)
def test_memory_opens_the_gates_that_keep_for_one_to_so_many_steps(kind, order):
    torch.manual_seed(0)
    cell = kind(EMBEDDING, 400)
    initialize(cell, "keras", 100)
    bias = dict(cell.named_parameters()).get("bias_ih_l0", getattr(cell, "bias", None)).detach()
    gates = dict(zip(order, bias.view(len(order), 400), strict=True))
    steps = 1 / (1 - torch.sigmoid(gates["f"]))  # a state fades by 1 / e within so many
    assert steps.min() > 1.9
    assert 90 < steps.max() < 101
    if "i" in gates:
        assert torch.equal(gates["i"], -gates["f"])
    assert all(gates[other].abs().sum() == 0 for other in set(order) - {"f", "i"})


def test_a_network_told_how_far_back_to_look_remembers_what_another_forgets():
    def left(memory: int | None) -> float:
        torch.manual_seed(0)
        lstm = torch.nn.LSTM(EMBEDDING, HIDDEN)
        initialize(lstm, "keras", memory)
        x = torch.randn(100, 1, EMBEDDING, requires_grad=True)
        (gradient,) = torch.autograd.grad(lstm(x)[0][-1].sum(), x)
        return float(gradient[0].norm() / gradient[-1].norm())

    assert left(100) > 1e3 * left(None)
