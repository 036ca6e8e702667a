"""Variants of the LSTM: with peepholes, coupled gates, multiplicative."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentiment_rnn.models.cells.layer import CellLayer, State, uniform_parameter


class PeepholeLSTM(CellLayer):
    """LSTM whose gates depend on the cell state, too (Gers & Schmidhuber, 2000, "Recurrent nets that time and count").

        i = sigma(W_i x + U_i h + p_i * c + b_i)        input gate
        f = sigma(W_f x + U_f h + p_f * c + b_f)        forget gate
        g = tanh(W_g x + U_g h + b_g)                   candidate
        c' = f * c + i * g
        o = sigma(W_o x + U_o h + p_o * c' + b_o)       output gate, with the new cell state
        h' = o * tanh(c')

    With all peepholes p at zero this is torch's LSTM.
    """

    gates = 4
    forget = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden_size))  # p_i, p_f, p_o

    def step(self, projected: Tensor, state: State) -> State:
        h, c = state
        p_i, p_f, p_o = self.peepholes.unbind(0)
        i, f, g, o = torch.addmm(projected, h, self.weight_hh.t()).chunk(4, dim=-1)
        c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
        return torch.sigmoid(o + p_o * c) * torch.tanh(c), c


class CoupledLSTM(CellLayer):
    """LSTM with coupled input and forget gates (CIFG; Greff et al., 2017, "LSTM: a search space odyssey").

    f = sigma(W_f x + U_f h + b_f)      forget gate; the input gate is 1 - f
    g = tanh(W_g x + U_g h + b_g)       candidate
    o = sigma(W_o x + U_o h + b_o)      output gate
    c' = f * c + (1 - f) * g
    h' = o * tanh(c')
    """

    gates = 3
    forget = 0

    def step(self, projected: Tensor, state: State) -> State:
        h, c = state
        f, g, o = torch.addmm(projected, h, self.weight_hh.t()).chunk(3, dim=-1)
        f = torch.sigmoid(f)
        c = f * c + (1 - f) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class MultiplicativeLSTM(CellLayer):
    """LSTM whose recurrent weights depend on the input (Krause et al., 2016, "Multiplicative LSTM").

    m = (W_m x) * (U_m h)               replaces h in every gate
    i = sigma(W_i x + U_i m + b_i)      input gate
    f = sigma(W_f x + U_f m + b_f)      forget gate
    g = tanh(W_g x + U_g m + b_g)       candidate
    o = sigma(W_o x + U_o m + b_o)      output gate
    c' = f * c + i * g
    h' = o * tanh(c')
    """

    gates = 4
    forget = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.weight_im = uniform_parameter(hidden_size, hidden_size, input_size)  # W_m
        self.weight_hm = uniform_parameter(hidden_size, hidden_size, hidden_size)  # U_m

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([super().project(x), F.linear(x, self.weight_im)], dim=-1)

    def step(self, projected: Tensor, state: State) -> State:
        h, c = state
        gates, factor = projected.split([4 * self.hidden_size, self.hidden_size], dim=-1)
        m = factor * F.linear(h, self.weight_hm)
        i, f, g, o = torch.addmm(gates, m, self.weight_hh.t()).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c
