"""Each cell against its equations written out number by number, and against torch where it reduces to it."""

import math

import pytest
import torch
from torch import Tensor, nn

from sentiment_rnn.models.cells import CellLayer, ConvLSTM, CoupledLSTM, EchoState, MultiplicativeLSTM, PeepholeLSTM

STEPS, BATCH, INPUT, HIDDEN = 7, 3, 4, 5
CELLS: list[type[CellLayer]] = [PeepholeLSTM, CoupledLSTM, MultiplicativeLSTM]


def made(kind: type[CellLayer], dtype: torch.dtype = torch.float64) -> CellLayer:
    """A cell whose every weight is drawn, so that no two gates are alike."""
    torch.manual_seed(3)
    cell = kind(INPUT, HIDDEN).to(dtype)
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(std=0.7)
    return cell


def sigma(x: float) -> float:
    return 1 / (1 + math.exp(-x))


def weighted(weights: Tensor, row: int, values: list[float]) -> float:
    return sum(weight * value for weight, value in zip(weights[row].tolist(), values, strict=True))


def reference(cell: CellLayer, sequence: Tensor) -> list[list[float]]:
    """The hidden state of every step of one sequence, `(T, F)`, in plain Python."""
    own = dict(cell.named_parameters())
    h, c = [0.0] * HIDDEN, [0.0] * HIDDEN
    out = []
    for x in sequence.tolist():
        seen = h
        if isinstance(cell, MultiplicativeLSTM):
            seen = [weighted(own["weight_im"], k, x) * weighted(own["weight_hm"], k, h) for k in range(HIDDEN)]

        def drive(gate: int, k: int, x: list[float] = x, seen: list[float] = seen) -> float:
            row = gate * HIDDEN + k
            from_input = weighted(own["weight_ih"], row, x) + own["bias"][row].item()
            return from_input + weighted(own["weight_hh"], row, seen)

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
def test_every_step_is_what_the_equations_say(kind):
    cell = made(kind)
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    states, (h, _) = cell(x)
    assert states.shape == (STEPS, BATCH, HIDDEN)
    for b in range(BATCH):
        expected = torch.tensor(reference(cell, x[:, b]), dtype=torch.float64)
        torch.testing.assert_close(states[:, b], expected, rtol=0, atol=1e-9)
    assert torch.equal(h, states[-1])


@pytest.mark.parametrize("kind", CELLS)
def test_gradients_are_those_of_small_differences(kind):
    cell = made(kind)
    names = [name for name, _ in cell.named_parameters()]

    def run(x: Tensor, *weights: Tensor) -> Tensor:
        return torch.func.functional_call(cell, dict(zip(names, weights, strict=True)), (x,))[0]

    x = torch.randn(3, 2, INPUT, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(run, (x, *cell.parameters()))


def test_without_peepholes_it_is_torchs_lstm():
    cell = made(PeepholeLSTM)
    theirs = nn.LSTM(INPUT, HIDDEN).double()
    with torch.no_grad():
        cell.peepholes.zero_()
        theirs.weight_ih_l0.copy_(cell.weight_ih)
        theirs.weight_hh_l0.copy_(cell.weight_hh)
        theirs.bias_ih_l0.copy_(cell.bias)
        theirs.bias_hh_l0.zero_()
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    torch.testing.assert_close(cell(x)[0], theirs(x)[0], rtol=0, atol=1e-12)


@pytest.mark.parametrize("kind", CELLS)
def test_no_two_gates_can_be_exchanged(kind):
    cell = made(kind)
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    before = cell(x)[0]
    for first in range(cell.gates):
        for second in range(first + 1, cell.gates):
            order = list(range(cell.gates))
            order[first], order[second] = second, first
            other = made(kind)
            with torch.no_grad():
                for name in ("weight_ih", "weight_hh", "bias"):
                    blocks = getattr(cell, name).chunk(cell.gates)
                    getattr(other, name).copy_(torch.cat([blocks[index] for index in order]))
            assert not torch.allclose(other(x)[0], before, atol=1e-3)


def test_a_coupled_cell_neither_grows_nor_fades_beyond_its_candidates():
    """c is a weighted mean of candidates, each between -1 and 1."""
    cell = made(CoupledLSTM)
    with torch.no_grad():
        cell.bias.fill_(3.0)
    _, (_, c) = cell(torch.randn(200, BATCH, INPUT, dtype=torch.float64))
    assert c.abs().max() <= 1


def convolved(weights: Tensor, places: list[list[float]], row: int, place: int) -> float:
    """One output of a convolution over the places, zero beyond both ends."""
    width = weights.shape[2]
    total = 0.0
    for offset in range(width):
        at = place + offset - width // 2
        if 0 <= at < len(places):
            total += weighted(weights[:, :, offset], row, places[at])
    return total


def test_a_convolutional_lstm_is_what_its_equations_say():
    torch.manual_seed(3)
    window, steps = 3, 8  # the last window is one token short
    cell = ConvLSTM(INPUT, HIDDEN, window=window).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(std=0.5)
    x = torch.randn(steps, 1, INPUT, dtype=torch.float64)
    own = dict(cell.named_parameters())
    places = [*x[:, 0].tolist(), [0.0] * INPUT]
    h = c = [[0.0] * HIDDEN for _ in range(window)]
    expected = []
    for start in range(0, steps, window):
        tokens = places[start : start + window]
        new_h, new_c = [], []
        for place in range(window):

            def drive(gate: int, k: int, tokens=tokens, h=h, place=place) -> float:
                row = gate * HIDDEN + k
                from_input = convolved(own["from_input.weight"], tokens, row, place) + float(
                    own["from_input.bias"][row]
                )
                return from_input + convolved(own["from_state.weight"], h, row, place)

            row_h, row_c = [], []
            for k in range(HIDDEN):
                p_i, p_f, p_o = own["peepholes"][:, k, 0].tolist()
                before = c[place][k]
                i, f = sigma(drive(0, k) + p_i * before), sigma(drive(1, k) + p_f * before)
                new = f * before + i * math.tanh(drive(2, k))
                row_c.append(new)
                row_h.append(sigma(drive(3, k) + p_o * new) * math.tanh(new))
            new_h.append(row_h)
            new_c.append(row_c)
        h, c = new_h, new_c
        expected += h
    states, _ = cell(x)
    torch.testing.assert_close(states[:, 0], torch.tensor(expected[:steps], dtype=torch.float64), rtol=0, atol=1e-9)


def test_gradients_of_the_convolutional_lstm_are_those_of_small_differences():
    cell = ConvLSTM(2, 2, window=3).double()
    x = torch.randn(5, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: cell(x)[0], (x,))


@pytest.mark.parametrize("radius", [0.5, 0.95, 1.3])
def test_a_reservoir_has_its_radius_and_is_what_its_equation_says(radius):
    torch.manual_seed(3)
    cell = EchoState(INPUT, 60, spectral_radius=radius, leak=0.3).double()
    assert torch.linalg.eigvals(cell.weight_hh).abs().max().item() == pytest.approx(radius, rel=1e-4)
    assert not list(cell.parameters())
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64)
    h = torch.zeros(BATCH, 60, dtype=torch.float64)
    for t, state in enumerate(cell(x)[0]):
        h = 0.7 * h + 0.3 * torch.tanh(x[t] @ cell.weight_ih.T + h @ cell.weight_hh.T)
        torch.testing.assert_close(state, h, rtol=0, atol=1e-9)


def test_a_reservoir_forgets_where_its_radius_is_small_and_not_where_it_is_large():
    """The echo state property: with the same input, two starts end in one state, below a radius of one."""
    apart = {}
    for radius in (0.5, 2.5):
        torch.manual_seed(3)
        cell = EchoState(INPUT, 60, spectral_radius=radius, leak=1.0).double()
        same = torch.zeros(100, 1, INPUT, dtype=torch.float64)
        first = torch.randn(2, 1, INPUT, dtype=torch.float64)
        ends = [cell(torch.cat([start[None], same]))[1] for start in first]
        apart[radius] = (ends[0] - ends[1]).abs().max().item()
    assert apart[0.5] < 1e-9 < 1e-2 < apart[2.5]
