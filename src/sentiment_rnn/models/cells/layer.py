"""A recurrent cell run over time. A cell is a subclass with its equations in `step`.

Shapes are torch's: inputs `(T, B, F)`, states `(B, H)`. `x` is a step's input, `h` the hidden state, `c` the cell
state; sigma is the logistic function and * is element by element.
"""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

State = tuple[Tensor, ...]  # the hidden state first, then what else the cell keeps, each (B, H)


def uniform_parameter(hidden_size: int, *shape: int) -> nn.Parameter:
    """Weights as torch's own recurrent layers draw them: uniform within 1 / sqrt(H)."""
    bound = hidden_size**-0.5
    return nn.Parameter(torch.empty(shape).uniform_(-bound, bound))


class CellLayer(nn.Module):
    """One direction of one layer: a cell stepped through a sequence from its first step to its last.

    All steps' inputs are projected at once before the loop, which is then left with what depends on the state.

    Args:
        input_size: features of each step, `F`.
        hidden_size: features of the state, `H`.
        kernel: of a convolutional cell: the places that its weights see.
    """

    gates: ClassVar[int]  # blocks of H rows in the weights; a cell's docstring names them in their order
    forget: ClassVar[int | None] = None  # which of them starts open, with a bias of 1; None: the cell has no such gate
    num_states: ClassVar[int] = 2  # vectors in the state: 2 for h and c, 1 for h alone

    def __init__(self, input_size: int, hidden_size: int, *kernel: int) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.weight_ih = uniform_parameter(hidden_size, self.gates * hidden_size, input_size, *kernel)
        self.weight_hh = uniform_parameter(hidden_size, self.gates * hidden_size, hidden_size, *kernel)
        self.bias = uniform_parameter(hidden_size, self.gates * hidden_size)

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
        state: State = (x.new_zeros(x.shape[1], self.hidden_size, *x.shape[3:]),) * self.num_states
        states = []
        for projected in self.project(x).unbind(0):
            state = self.step(projected, state)
            states.append(state[0])
        return torch.stack(states), state
