"""The convolutional LSTM."""

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from sentiment_rnn.models.cells.layer import CellLayer, State


class ConvLSTM(CellLayer):
    """LSTM whose products are convolutions (Shi et al., 2015), in one spatial dimension.

    The sequence is split into windows of `window` tokens. A window is one time step, its tokens are the positions of
    the spatial dimension. `**` is a convolution over the positions, with F channels in and H out:

        i = sigma(W_i ** x + U_i ** h + p_i * c + b_i)
        f = sigma(W_f ** x + U_f ** h + p_f * c + b_f)
        g = tanh(W_g ** x + U_g ** h + b_g)
        c' = f * c + i * g
        o = sigma(W_o ** x + U_o ** h + p_o * c' + b_o)
        h' = o * tanh(c')

    A token's state is that of its position in its window, so input and output are sequences as for any other cell.

    Args:
        input_size: features of each token, `F`.
        hidden_size: features of each token's state, `H`.
        window: tokens in a window.
        kernel: width of the convolutions, an odd number of positions.
    """

    gates = 4
    forget = 1
    non_causal: ClassVar[bool] = True  # a token's state depends on those after it: padding must be zero

    def __init__(self, input_size: int, hidden_size: int, window: int = 16, kernel: int = 3) -> None:
        super().__init__(input_size, hidden_size, kernel)
        self.window = window
        self.peepholes = nn.Parameter(torch.zeros(3, hidden_size, 1))  # p_i, p_f, p_o

    def project(self, x: Tensor) -> Tensor:
        """The gates' input for all windows: `(windows, B, F, window)` to `(windows, B, 4 * H, window)`."""
        return F.conv1d(x.flatten(0, 1), self.weight_ih, self.bias, padding="same").unflatten(0, x.shape[:2])

    def step(self, projected: Tensor, state: State) -> State:
        h, c = state
        p_i, p_f, p_o = self.peepholes.unbind(0)
        i, f, g, o = (projected + F.conv1d(h, self.weight_hh, padding="same")).chunk(4, dim=1)
        c = torch.sigmoid(f + p_f * c) * c + torch.sigmoid(i + p_i * c) * torch.tanh(g)
        return torch.sigmoid(o + p_o * c) * torch.tanh(c), c

    def forward(self, x: Tensor) -> tuple[Tensor, State]:
        """Run the cell over `(T, B, F)`, zero at padding.

        Returns:
            The hidden states of all tokens, `(T, B, H)`, and the state of the last window, each `(B, H, window)`.
        """
        steps, batch, features = x.shape
        windows = -(-steps // self.window)
        x = F.pad(x, (0, 0, 0, 0, 0, windows * self.window - steps))
        # (windows, window, B, F) to (windows, B, F, window)
        states, state = super().forward(x.view(windows, self.window, batch, features).permute(0, 2, 3, 1))
        return states.permute(0, 3, 1, 2).reshape(windows * self.window, batch, -1)[:steps], state
