"""Recurrent layers over padded batches, in one or both directions, one or several layers deep.

What padding does must not depend on the rest of the batch. Padding stands behind the tokens, so a forward
layer has read a review to its end before it meets any. For the backward direction every review is turned
round within its own length, read by an ordinary forward layer, and turned back: the same result as packed
sequences, on the fused kernels (oneDNN, cuDNN) that packing would miss on the CPU.
"""

from typing import Any

import torch
from torch import Tensor, nn

from sentiment_rnn.models.cells import ConvLSTM, CoupledLSTM, EchoState, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.pooling import mask

# the first three run on torch's fused kernels, the others step by step
CELLS: dict[str, type[nn.Module]] = {
    "rnn": nn.RNN,
    "lstm": nn.LSTM,
    "gru": nn.GRU,
    "peephole": PeepholeLSTM,
    "coupled": CoupledLSTM,
    "mlstm": MultiplicativeLSTM,
    "conv_lstm": ConvLSTM,
    "echo_state": EchoState,
}
OPTIONS = {"conv_lstm": ("window",), "echo_state": ("spectral_radius", "leak")}  # what else a cell is made of


def reverse(x: Tensor, lengths: Tensor) -> Tensor:
    """Turn every sequence round within its own length; its own inverse.

    Args:
        x: `(T, B, F)`, sequences padded behind.
        lengths: `(B,)`, tokens in each sequence, at most `T`.

    Returns:
        `(T, B, F)`: step `t` of sequence `b` is step `lengths[b] - 1 - t` of `x`; padding stays where it is.
    """
    steps, batch, features = x.shape
    t = torch.arange(steps, device=x.device)[:, None]
    source = torch.where(t < lengths, lengths - 1 - t, t)
    rows = source * batch + torch.arange(batch, device=x.device)
    # whole rows of the flattened (T * B, F): on the CPU several times the speed of gather(0, ...)
    return x.reshape(-1, features).index_select(0, rows.flatten()).view(steps, batch, features)


class Recurrent(nn.Module):
    """A stack of recurrent layers.

    Args:
        cell: a name in `CELLS`.
        input_size: features of each step, `F`.
        hidden_size: features of each direction's state, `H`.
        num_layers: layers; each reads the (concatenated) output of the one below.
        bidirectional: read each sequence from both ends.
        dropout: share of features dropped between layers.
        options: values for `OPTIONS`; a cell takes its own.
    """

    def __init__(
        self,
        cell: str,
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
        options: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.directions = 2 if bidirectional else 1
        self.output_size = hidden_size * self.directions
        self.dropout = nn.Dropout(dropout)
        own = {name: (options or {})[name] for name in OPTIONS.get(cell, ())}
        self.layers = nn.ModuleList(
            nn.ModuleList(
                CELLS[cell](input_size if layer == 0 else self.output_size, hidden_size, **own)
                for _ in range(self.directions)
            )
            for layer in range(num_layers)
        )

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Run the layers.

        Args:
            x: `(T, B, F)`.
            lengths: `(B,)`.

        Returns:
            `(T, B, D * H)`, forward states first, then (if bidirectional) backward ones, both at their token's
            step. What stands at padding steps is unspecified: mask it.
        """
        kept = mask(x.shape[0], lengths)[:, :, None]
        for depth, layer in enumerate(self.layers):
            if depth > 0:
                x = self.dropout(x)
            if isinstance(layer[0], ConvLSTM):  # type: ignore[index]
                x = x.masked_fill(~kept, 0.0)  # it sees a token's neighbours, padding among them
            outputs = [layer[0](x)[0]]  # type: ignore[index]
            if self.directions == 2:
                outputs.append(reverse(layer[1](reverse(x, lengths))[0], lengths))  # type: ignore[index]
            x = torch.cat(outputs, dim=-1)
        return x
