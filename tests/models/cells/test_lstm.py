"""Each cell against its equations in scalar arithmetic, and against torch where it reduces to torch's."""

import math

import pytest
import torch
from scalars import sigma, weighted
from torch import Tensor, nn

from sentiment_rnn.models.cells import CellLayer, CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM

STEPS, BATCH, INPUT, HIDDEN = 7, 3, 4, 5
CELLS: list[type[CellLayer]] = [PeepholeLSTM, CoupledLSTM, MultiplicativeLSTM]


def build(kind: type[CellLayer], dtype: torch.dtype = torch.float64) -> CellLayer:
    """A cell whose weights are all random, so that no two gates are equal."""
    torch.manual_seed(3)
    cell = kind(INPUT, HIDDEN).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(std=0.7)
    return cell


def reference(cell: CellLayer, sequence: Tensor) -> list[list[float]]:
    """The hidden state of every step of one sequence, `(T, F)`, in plain Python."""
    own = dict(cell.named_parameters())
    h, c = [0.0] * HIDDEN, [0.0] * HIDDEN
    out = []
    for x in sequence.tolist():
        recurrent_input = h
        if isinstance(cell, MultiplicativeLSTM):
            recurrent_input = [
                weighted(own["weight_im"], k, x) * weighted(own["weight_hm"], k, h) for k in range(HIDDEN)
            ]

        def drive(gate: int, k: int, x: list[float] = x, recurrent_input: list[float] = recurrent_input) -> float:
            row = gate * HIDDEN + k
            from_input = weighted(own["weight_ih"], row, x) + own["bias"][row].item()
            return from_input + weighted(own["weight_hh"], row, recurrent_input)

        next_h, next_c = [], []
        for k in range(HIDDEN):
            if isinstance(cell, CoupledLSTM):
                f, g, o = sigma(drive(0, k)), math.tanh(drive(1, k)), drive(2, k)
                new = f * c[k] + (1 - f) * g
            else:
                p_i, p_f, p_o = own["peepholes"][:, k].tolist() if isinstance(cell, PeepholeLSTM) else (0.0, 0.0, 0.0)
                i, f = sigma(drive(0, k) + p_i * c[k]), sigma(drive(1, k) + p_f * c[k])
                g = math.tanh(drive(2, k))
                new = f * c[k] + i * g
                o = drive(3, k) + p_o * new
            next_c.append(new)
            next_h.append(sigma(o) * math.tanh(new))
        h, c = next_h, next_c
        out.append(h)
    return out


@pytest.mark.parametrize("kind", CELLS)
def test_states_match_the_equations(kind):
    cell = build(kind)
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    states, (h, _) = cell(x)
    assert states.shape == (STEPS, BATCH, HIDDEN)
    for b in range(BATCH):
        expected = torch.tensor(reference(cell, x[:, b]), dtype=torch.float64)
        torch.testing.assert_close(states[:, b], expected, rtol=0, atol=1e-9)
    assert torch.equal(h, states[-1])


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_match_finite_differences(kind):
    cell = build(kind)
    names = [name for name, _ in cell.named_parameters()]

    def run(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(cell, dict(zip(names, weights, strict=True)), (x,))[0]

    x = torch.randn(3, 2, INPUT, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *cell.parameters()))


def test_without_peepholes_it_equals_torchs_lstm():
    cell = build(PeepholeLSTM)
    theirs = nn.LSTM(INPUT, HIDDEN).double()
    with torch.no_grad():
        cell.peepholes.zero_()
        theirs.weight_ih_l0.copy_(cell.weight_ih)
        theirs.weight_hh_l0.copy_(cell.weight_hh)
        theirs.bias_ih_l0.copy_(cell.bias)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    torch.testing.assert_close(cell(x)[0], theirs(x)[0], rtol=0, atol=1e-12)
