"""The convolutional LSTM against its equations in scalar arithmetic."""

import math

import torch
from scalars import sigma, weighted
from torch import Tensor

from sentiment_rnn.models.cells import ConvLSTM

INPUT, HIDDEN = 4, 5


def convolved(weights: Tensor, positions: list[list[float]], row: int, position: int) -> float:
    """One output of a convolution over the positions, zero beyond both ends."""
    width = weights.shape[2]
    total = 0.0
    for offset in range(width):
        at = position + offset - width // 2
        if 0 <= at < len(positions):
            total += weighted(weights[:, :, offset], row, positions[at])
    return total


def test_states_match_the_equations():
    torch.manual_seed(3)
    window, steps = 3, 8  # the last window is one token short
    cell = ConvLSTM(INPUT, HIDDEN, window=window).double()
    with torch.no_grad():
        for parameter in cell.parameters():
            parameter.normal_(std=0.5)
    x = torch.randn(steps, 1, INPUT, dtype=torch.float64)
    own = dict(cell.named_parameters())
    positions = [*x[:, 0].tolist(), [0.0] * INPUT]
    h = c = [[0.0] * HIDDEN for _ in range(window)]
    expected = []
    for start in range(0, steps, window):
        tokens = positions[start : start + window]
        new_h, new_c = [], []
        for position in range(window):

            def drive(gate: int, k: int, tokens=tokens, h=h, position=position) -> float:
                row = gate * HIDDEN + k
                from_input = convolved(own["weight_ih"], tokens, row, position) + own["bias"][row].item()
                return from_input + convolved(own["weight_hh"], h, row, position)

            row_h, row_c = [], []
            for k in range(HIDDEN):
                p_i, p_f, p_o = own["peepholes"][:, k, 0].tolist()
                before = c[position][k]
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


def test_gradients_match_finite_differences():
    cell = ConvLSTM(2, 2, window=3).double()
    x = torch.randn(5, 2, 2, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: cell(x)[0], (x,))
