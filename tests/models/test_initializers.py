"""Initial values against their definitions."""

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
        initializer="keras", chrono_init=None, merge_mode="concat", cell_options={},
        pooling=["last", "max"], word_dropout=0.0, embedding_dropout=0.0, dropout=0.0,
    )  # fmt: skip


def layers_of(model: Classifier) -> list:
    return [direction for layer in model.encoder.layers for direction in layer]


def assert_uniform(weights: torch.Tensor, bound: float) -> None:
    """Within the bound, close to it at both ends, and with the variance of a uniform distribution."""
    assert weights.abs().max() <= bound
    assert weights.max() > 0.9 * bound
    assert weights.min() < -0.9 * bound
    assert weights.std() == pytest.approx(bound / math.sqrt(3), rel=0.1)


def test_embeddings_are_uniform_within_005(model):
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
def test_the_cells_of_this_package_are_initialized_likewise(kind, gates, forget):
    torch.manual_seed(0)
    cell = kind(EMBEDDING, HIDDEN)
    initialize(cell, "keras", None)
    rows, *inputs = cell.weight_ih.shape
    assert rows == gates * HIDDEN
    positions = inputs[1] if len(inputs) == 2 else 1
    assert_uniform(cell.weight_ih.detach(), math.sqrt(6 / (positions * (EMBEDDING + rows))))
    recurrent = cell.weight_hh.detach().flatten(1)
    torch.testing.assert_close(recurrent.t() @ recurrent, torch.eye(positions * HIDDEN), rtol=0, atol=1e-5)
    expected = torch.zeros(gates, HIDDEN)
    expected[forget] = 1
    assert torch.equal(cell.bias.detach(), expected.flatten())
    assert all(weights.abs().sum() == 0 for name, weights in cell.named_parameters() if name == "peepholes")


def test_the_further_weights_of_the_multiplicative_lstm():
    torch.manual_seed(0)
    cell = MultiplicativeLSTM(EMBEDDING, HIDDEN)
    initialize(cell, "keras", None)
    assert_uniform(cell.weight_im.detach(), math.sqrt(6 / (EMBEDDING + HIDDEN)))
    torch.testing.assert_close(cell.weight_hm.t() @ cell.weight_hm, torch.eye(HIDDEN), rtol=0, atol=1e-5)


def test_initializer_torch_leaves_recurrent_layers_unchanged():
    torch.manual_seed(0)
    layer = torch.nn.LSTM(EMBEDDING, HIDDEN)
    before = {name: weights.clone() for name, weights in layer.named_parameters()}
    initialize(layer, "torch", None)
    assert all(torch.equal(before[name], weights) for name, weights in layer.named_parameters())


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
def test_chrono_init_gives_time_constants_up_to_the_longest_dependency(kind, order):
    torch.manual_seed(0)
    cell = kind(EMBEDDING, 400)
    initialize(cell, "keras", 100)
    bias = dict(cell.named_parameters()).get("bias_ih_l0", getattr(cell, "bias", None)).detach()
    gates = dict(zip(order, bias.view(len(order), 400), strict=True))
    steps = 1 / (1 - torch.sigmoid(gates["f"]))  # in which a state decays by 1 / e
    assert steps.min() > 1.9
    assert 90 < steps.max() < 101
    if "i" in gates:
        assert torch.equal(gates["i"], -gates["f"])
    assert all(gates[other].abs().sum() == 0 for other in set(order) - {"f", "i"})


def test_chrono_init_preserves_gradients_over_long_dependencies():
    def gradient_ratio(chrono_init: int | None) -> float:
        torch.manual_seed(0)
        lstm = torch.nn.LSTM(EMBEDDING, HIDDEN)
        initialize(lstm, "keras", chrono_init)
        x = torch.randn(100, 1, EMBEDDING, requires_grad=True)
        (gradient,) = torch.autograd.grad(lstm(x)[0][-1].sum(), x)
        return float(gradient[0].norm() / gradient[-1].norm())

    assert gradient_ratio(100) > 1e3 * gradient_ratio(None)
