"""Stacked recurrent layers over padded batches, in one or both directions.

A review's states must not depend on the rest of the batch. Padding is last, so the forward direction reaches it after
all tokens. For the backward direction each review is reversed within its own length, run through a forward layer, and
reversed again: the same result as packed sequences, on the fused kernels that oneDNN has for padded batches only.
"""

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from sentiment_rnn.models.pooling import mask


def reverse_padded(x: Tensor, lengths: Tensor) -> Tensor:
    """Reverse each sequence within its own length; its own inverse.

    Args:
        x: `(T, B, F)`, padding last.
        lengths: `(B,)`, tokens in each sequence, at most `T`.

    Returns:
        `(T, B, F)`: step `t` of sequence `b` is step `lengths[b] - 1 - t` of `x`; padding is unchanged.
    """
    steps, batch, features = x.shape
    t = torch.arange(steps, device=x.device)[:, None]
    source = torch.where(t < lengths, lengths - 1 - t, t)
    rows = source * batch + torch.arange(batch, device=x.device)
    # rows of the flattened (T * B, F): on the CPU several times faster than gather(0, ...)
    return x.reshape(-1, features).index_select(0, rows.flatten()).view(steps, batch, features)


class Recurrent(nn.Module):
    """A stack of recurrent layers.

    Args:
        cell: class of one direction of one layer, called with input and hidden size; its output is that of `CellLayer`.
        input_size: features of each step, `F`.
        hidden_size: features of each direction's state, `H`.
        num_layers: each layer's input is the (concatenated) output of the one below.
        bidirectional: with a backward direction.
        dropout: fraction of the features dropped between layers in training.
        options: further arguments of the cell.
    """

    def __init__(
        self,
        cell: Callable[..., nn.Module],
        input_size: int,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        dropout: float,
        **options: Any,
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.directions = 2 if bidirectional else 1
        self.output_size = hidden_size * self.directions
        self.dropout = nn.Dropout(dropout)
        self.non_causal = getattr(cell, "non_causal", False)
        self.layers = nn.ModuleList(
            nn.ModuleList(
                cell(input_size if layer == 0 else self.output_size, hidden_size, **options)
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
            `(T, B, D * H)`: at each token the forward features, then those of the backward direction if there is one.
            The values at padding are unspecified.
        """
        for depth, layer in enumerate(self.layers):
            if depth > 0:
                x = self.dropout(x)
            if self.non_causal:
                x = x.masked_fill(~mask(x.shape[0], lengths)[:, :, None], 0.0)
            outputs = [layer[0](x)[0]]  # type: ignore[index]
            if self.directions == 2:
                outputs.append(reverse_padded(layer[1](reverse_padded(x, lengths))[0], lengths))  # type: ignore[index]
            x = torch.cat(outputs, dim=-1)
        return x
