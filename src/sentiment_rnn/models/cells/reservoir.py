"""The echo state network."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn


class EchoState(nn.Module):
    """A reservoir: a recurrent network with fixed random weights (Jaeger, 2001).

        h' = (1 - leak_rate) * h + leak_rate * tanh(W x + U h)

    U is scaled to have the spectral radius `spectral_radius`: just below 1 the influence of past inputs decays slowly,
    above 1 it may not decay at all.

    Args:
        input_size: features of each step, `F`.
        hidden_size: features of the state, `H`.
        spectral_radius: largest absolute eigenvalue of the recurrent weights.
        leak_rate: fraction of the state that is replaced at each step.
        input_scaling: bound of the input weights; a large one drives the units into the nonlinear range of tanh.
        density: fraction of the recurrent weights that are not zero.
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
        density: float = 0.1,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.leak_rate = leak_rate
        weight_hh = torch.empty(hidden_size, hidden_size).uniform_(-1, 1)
        weight_hh *= torch.rand(hidden_size, hidden_size) < max(density, 4 / hidden_size)
        weight_hh *= spectral_radius / torch.linalg.eigvals(weight_hh).abs().max()
        # buffers are in the state dict, but no optimizer updates them
        self.register_buffer("weight_ih", torch.empty(hidden_size, input_size).uniform_(-input_scaling, input_scaling))
        self.register_buffer("weight_hh", weight_hh)

    @torch.no_grad()
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Run the network over `(T, B, F)`.

        Returns:
            The states of all steps, `(T, B, H)`, and the last one, `(B, H)`.
        """
        h = x.new_zeros(x.shape[1], self.hidden_size)
        states = []
        for projected in F.linear(x, self.weight_ih).unbind(0):
            h = (1 - self.leak_rate) * h + self.leak_rate * torch.tanh(torch.addmm(projected, h, self.weight_hh.t()))
            states.append(h)
        return torch.stack(states), h
