"""A recurrent net that is drawn at random and never trained."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EchoState(nn.Module):
    """A reservoir (Jaeger, 2001): a recurrent net that is drawn at random and never trained.

        h' = (1 - leak_rate) * h + leak_rate * tanh(W x + U h)

    U is scaled so that its largest eigenvalue has the absolute value `spectral_radius`: near one what was read fades
    slowly, above it the state may never settle.

    Args:
        input_size: features of each step.
        hidden_size: features of the state.
        spectral_radius: of the recurrent weights.
        leak_rate: share of the state that is new at each step.
        input_scaling: the input weights' largest value; a large one drives the units to the bends of their tanh.
        connected: share of the recurrent weights that are not zero.
    """

    weight_ih: Tensor
    weight_hh: Tensor

    def __init__(
        self,
        input_size: int,
        hidden_size: int,
        spectral_radius: float = 0.95,
        leak_rate: float = 0.5,
        input_scaling: float = 1.0,
        connected: float = 0.1,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.leak_rate = leak_rate
        weight_hh = torch.empty(hidden_size, hidden_size).uniform_(-1, 1)
        weight_hh *= torch.rand(hidden_size, hidden_size) < max(connected, 4 / hidden_size)
        weight_hh *= spectral_radius / torch.linalg.eigvals(weight_hh).abs().max()
        # buffers travel with the model's weights, and no optimizer sees them
        self.register_buffer("weight_ih", torch.empty(hidden_size, input_size).uniform_(-input_scaling, input_scaling))
        self.register_buffer("weight_hh", weight_hh)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the net over `(T, B, F)`: the states `(T, B, H)` and the last one."""
        h = x.new_zeros(x.shape[1], self.hidden_size)
        states = []
        for projected in F.linear(x, self.weight_ih).unbind(0):
            h = (1 - self.leak_rate) * h + self.leak_rate * torch.tanh(torch.addmm(projected, h, self.weight_hh.t()))
            states.append(h)
        return torch.stack(states), h
