"""A small transformer encoder (Vaswani et al., 2017): the baseline that the documents name."""

import math

import torch
from torch import Tensor, nn

from sentiment_rnn.models.pooling import mask

POSITION_SCALE = (
    0.1  # of the positions, beside embeddings that start within +-0.05: at 1 they drown the words for an epoch
)


def positions(steps: int, size: int) -> Tensor:
    """Sines and cosines of each step's number, `(steps, size)`, wavelengths from 2 pi to 10,000 times that."""
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000.0) / size))
    angles = torch.arange(steps)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :size]


class Transformer(nn.Module):
    """Layers of self-attention over a review's tokens, normalised before each block.

    Args:
        input_size: features of each token; the heads divide them.
        hidden_size: features of the feed-forward blocks.
        num_layers: encoder layers.
        bidirectional: changes nothing: self-attention reads both ways.
        dropout: share of features dropped within the layers.
        num_heads: of self-attention.
    """

    directions = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool, dropout: float, num_heads: int
    ) -> None:
        super().__init__()
        self.hidden_size = self.output_size = input_size
        layer = nn.TransformerEncoderLayer(input_size, num_heads, hidden_size, dropout, norm_first=True)
        layer.self_attn.dropout = 0.0  # dropped weights would cost the CPU its fused attention, and most of the time
        norm = nn.LayerNorm(input_size)
        self.layers = nn.TransformerEncoder(layer, num_layers, norm, enable_nested_tensor=False)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Run the layers over `(T, B, F)`: `(T, B, F)`; what stands at padding steps is unspecified."""
        steps, _, size = x.shape
        x = x * math.sqrt(size) + POSITION_SCALE * positions(steps, size).to(x)[:, None]
        return self.layers(x, src_key_padding_mask=~mask(steps, lengths).t())
