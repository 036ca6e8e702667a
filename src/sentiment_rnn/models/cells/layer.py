"""Base class of the recurrent cells: a subclass implements its equations in `step`.

Shapes are torch's: inputs `(T, B, F)`, states `(B, H)`. In the equations `x` is a step's input, `h` the hidden state,
`c` the cell state, sigma the logistic function, and * the elementwise product.
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, ...]  # the hidden state, then further state vectors, each (B, H)


def uniform_parameter(hidden_size: int, *shape: int) -> nn.Parameter:
    """Weights of a `shape`, uniform within +-1 / sqrt(H) as in torch's recurrent layers."""
    bound = hidden_size**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


class CellLayer(nn.Module, ABC):
    """One direction of one layer: a cell run over a sequence from the first step to the last.

    The inputs of all steps are projected at once before the loop.

    Args:
        input_size: features of each step, `F`.
        hidden_size: features of the state, `H`.
        kernel: further dimensions of the weights, of a convolutional cell.
    """

    gates: ClassVar[int]  # blocks of H rows in the weights, in the order of the cell's docstring
    forget: ClassVar[int | None] = None  # index of the forget gate; None: the cell has none
    num_states: ClassVar[int] = 2  # 2 for h and c, 1 for h alone

    def __init__(self, input_size: int, hidden_size: int, *kernel: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = uniform_parameter(hidden_size, self.gates * hidden_size, input_size, *kernel)
        self.weight_hh = uniform_parameter(hidden_size, self.gates * hidden_size, hidden_size, *kernel)
        self.bias = uniform_parameter(hidden_size, self.gates * hidden_size)

    def project(self, x: Tensor) -> Tensor:
        """The part of each step that depends on the input alone: `(T, B, F)` to `(T, B, features)`."""
        return F.linear(x, self.weight_ih, self.bias)

    @abstractmethod
    def step(self, projected: Tensor, state: State) -> State:
        """The next state, from the projected input `(B, features)` and the previous state."""

    def forward(self, x: Tensor) -> tuple[Tensor, State]:
        """Run the cell.

        Args:
            x: `(T, B, F)`.

        Returns:
            The hidden states of all steps, `(T, B, H)`, and the last state.
        """
        state: State = (x.new_zeros(x.shape[1], self.hidden_size, *x.shape[3:]),) * self.num_states
        states = []
        for projected in self.project(x).unbind(0):
            state = self.step(projected, state)
            states.append(state[0])
        return torch.stack(states), state
