"""Recurrent cells that torch lacks: each is its equations, run over time by `CellLayer`.

Shapes are torch's: inputs `(T, B, F)`, states `(B, H)`. `x` is a step's input, `h` the hidden state, `c` the cell
state; sigma is the logistic function and * is element by element.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, Tensor]  # hidden state and cell state, each (B, H)


class CellLayer(nn.Module):
    """One direction of one layer: a cell stepped through a sequence from its first step to its last.

    All steps' inputs are projected at once before the loop, which is then left with what depends on the state.

    Args:
        input_size: features of each step, `F`.
        hidden_size: features of the state, `H`.
    """

    gates: ClassVar[int]  # blocks of H rows in the weights; a cell's docstring names them in their order
    forget: ClassVar[int]  # which of them is the forget gate

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = self.drawn(self.gates * hidden_size, input_size)
        self.weight_hh = self.drawn(self.gates * hidden_size, hidden_size)
        self.bias = self.drawn(self.gates * hidden_size)

    def drawn(self, *shape: int) -> nn.Parameter:
        """Weights as torch's own recurrent layers draw them: uniform within 1 / sqrt(H)."""
        bound = self.hidden_size**-0.5
        return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))

    def project(self, x: Tensor) -> Tensor:
        """What a step needs of its input, for all steps: `(T, B, F)` to `(T, B, features)`."""
        return F.linear(x, self.weight_ih, self.bias)

    def step(self, projected: Tensor, state: State) -> State:
        """The next state, from the projected input `(B, features)` and the state before it."""
        raise NotImplementedError

    def forward(self, x: Tensor) -> tuple[Tensor, State]:
        """Run the cell.

        Args:
            x: `(T, B, F)`.

        Returns:
            The hidden states of all steps, `(T, B, H)`, and the last state.
        """
        zeros = x.new_zeros(x.shape[1], self.hidden_size)
        state = (zeros, zeros)
        states = []
        for projected in self.project(x).unbind(0):
            state = self.step(projected, state)
            states.append(state[0])
        return torch.stack(states), state


class PeepholeLSTM(CellLayer):
    """LSTM whose gates see the cell state (Gers & Schmidhuber, 2000, "Recurrent nets that time and count").

        i = sigma(W_i x + U_i h + p_i * c + b_i)        input gate
        f = sigma(W_f x + U_f h + p_f * c + b_f)        forget gate
        g = tanh(W_g x + U_g h + b_g)                   candidate
        c' = f * c + i * g
        o = sigma(W_o x + U_o h + p_o * c' + b_o)       output gate, which sees the new cell state
        h' = o * tanh(c')

    With all peepholes p at zero it is torch's LSTM.
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
    """LSTM that forgets as much as it takes in (Greff et al., 2017, "LSTM: a search space odyssey", CIFG).

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

    m = (W_m x) * (U_m h)               what stands in for h in every gate
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
        self.weight_im = self.drawn(hidden_size, input_size)  # W_m
        self.weight_hm = self.drawn(hidden_size, hidden_size)  # U_m

    def project(self, x: Tensor) -> Tensor:
        return torch.cat([super().project(x), F.linear(x, self.weight_im)], dim=-1)

    def step(self, projected: Tensor, state: State) -> State:
        h, c = state
        gates, factor = projected.split([4 * self.hidden_size, self.hidden_size], dim=-1)
        m = factor * F.linear(h, self.weight_hm)
        i, f, g, o = torch.addmm(gates, m, self.weight_hh.t()).chunk(4, dim=-1)
        c = torch.sigmoid(f) * c + torch.sigmoid(i) * torch.tanh(g)
        return torch.sigmoid(o) * torch.tanh(c), c


class ConvLSTM(nn.Module):
    """LSTM whose products are convolutions (Shi et al., 2015), in one spatial dimension.

    The sequence is cut into windows of `window` tokens; a window is one time step, and its tokens are the places of
    the spatial dimension. With `**` for a convolution over the places, C channels in and H out:

        i = sigma(W_i ** x + U_i ** h + p_i * c + b_i)
        f = sigma(W_f ** x + U_f ** h + p_f * c + b_f)
        g = tanh(W_g ** x + U_g ** h + b_g)
        c' = f * c + i * g
        o = sigma(W_o ** x + U_o ** h + p_o * c' + b_o)
        h' = o * tanh(c')

    A token's state is that of its place in its window, so that the layer reads and gives a sequence as any other.

    Args:
        input_size: features of each token.
        hidden_size: features of each token's state.
        window: tokens in a window.
        kernel: places that a convolution sees, an odd number.
    """

    def __init__(self, input_size: int, hidden_size: int, window: int = 16, kernel: int = 3) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.window = window
        self.from_input = nn.Conv1d(input_size, 4 * hidden_size, kernel, padding=kernel // 2)
        self.from_state = nn.Conv1d(hidden_size, 4 * hidden_size, kernel, padding=kernel // 2, bias=False)
        self.peepholes = nn.Parameter(torch.zeros(3, hidden_size, 1))  # p_i, p_f, p_o

    def forward(self, x: Tensor) -> tuple[Tensor, State]:
        """Run the cell over `(T, B, F)`, zero where no token stands: the states `(T, B, H)` and the last state."""
        steps, batch, features = x.shape
        windows = -(-steps // self.window)
        x = F.pad(x, (0, 0, 0, 0, 0, windows * self.window - steps))
        # (windows, places, B, F) to (windows, B, F, places)
        x = x.view(windows, self.window, batch, features).permute(0, 2, 3, 1)
        projected = self.from_input(x.flatten(0, 1)).view(windows, batch, -1, self.window)
        p_i, p_f, p_o = self.peepholes.unbind(0)
        h = c = x.new_zeros(batch, self.hidden_size, self.window)
        states = []
        for step in projected.unbind(0):
            i, f, g, o = (step + self.from_state(h)).chunk(4, dim=1)
            c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
            h = torch.sigmoid(o + p_o * c) * torch.tanh(c)
            states.append(h)
        out = torch.stack(states).permute(0, 3, 1, 2).reshape(windows * self.window, batch, -1)
        return out[:steps], (h, c)


class EchoState(nn.Module):
    """A reservoir (Jaeger, 2001): a recurrent net that is drawn at random and never trained.

        h' = (1 - leak) * h + leak * tanh(W x + U h)

    U is scaled so that its largest eigenvalue has the absolute value `spectral_radius`: near one what was read fades
    slowly, above it the state may never settle.

    Args:
        input_size: features of each step.
        hidden_size: features of the state.
        spectral_radius: of the recurrent weights.
        leak: share of the state that is new at each step.
        connected: share of the recurrent weights that are not zero.
    """

    weight_ih: Tensor
    weight_hh: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        spectral_radius: float = 0.95,
        leak: float = 0.5,
        connected: float = 0.1,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.leak = leak
        weight_hh = torch.empty(hidden_size, hidden_size).uniform_(-1, 1)
        weight_hh *= torch.rand(hidden_size, hidden_size) < max(connected, 4 / hidden_size)
        weight_hh *= spectral_radius / torch.linalg.eigvals(weight_hh).abs().max()
        # buffers travel with the model's weights, and no optimizer sees them
        self.register_buffer("weight_ih", torch.empty(hidden_size, input_size).uniform_(-1, 1))
        self.register_buffer("weight_hh", weight_hh)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the net over `(T, B, F)`: the states `(T, B, H)` and the last one."""
        h = x.new_zeros(x.shape[1], self.hidden_size)
        states = []
        for projected in F.linear(x, self.weight_ih).unbind(0):
            h = (1 - self.leak) * h + self.leak * torch.tanh(torch.addmm(projected, h, self.weight_hh.t()))
            states.append(h)
        return torch.stack(states), h
