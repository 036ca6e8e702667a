"""A small transformer encoder (Vaswani et al., 2017), for comparison with the recurrent ones."""

import math

import torch
from torch import Tensor, nn

from sentiment_rnn.models.pooling import mask

POSITION_SCALE = 0.1  # the embeddings start within +-0.05: at 1 positions would dominate for the first epoch


def positions(steps: int, size: int) -> Tensor:
    """Sinusoidal position encodings `(steps, size)`, of wavelengths from 2 pi to 10,000 times that."""
    rates = torch.exp(torch.arange(0, size, 2) * (-math.log(10_000.0) / size))
    angles = torch.arange(steps)[:, None] * rates
    return torch.stack([angles.sin(), angles.cos()], dim=-1).flatten(1)[:, :size]


class Transformer(nn.Module):
    """Layers of self-attention over a review's tokens, with layer normalization before each block.

    Args:
        input_size: features of each token, a multiple of `num_heads`.
        hidden_size: features of the feed-forward blocks.
        num_layers: encoder layers.
        bidirectional: not used: self-attention has no direction.
        dropout: fraction of the features dropped within the layers in training.
        num_heads: attention heads.
    """

    directions = 1

    def __init__(
        self, input_size: int, hidden_size: int, num_layers: int, bidirectional: bool, dropout: float, num_heads: int
    ) -> None:
        super().__init__()
        self.hidden_size = self.output_size = input_size
        layer = nn.TransformerEncoderLayer(input_size, num_heads, hidden_size, dropout, norm_first=True)
        layer.self_attn.dropout = 0.0  # the CPU has no fused attention with dropout
        norm = nn.LayerNorm(input_size)
        self.layers = nn.TransformerEncoder(layer, num_layers, norm, enable_nested_tensor=False)

    def forward(self, x: Tensor, lengths: Tensor) -> Tensor:
        """Run the layers: `(T, B, F)` to `(T, B, F)`, unspecified at padding."""
        steps, _, size = x.shape
        x = x * math.sqrt(size) + POSITION_SCALE * positions(steps, size).to(x)[:, None]
        return self.layers(x, src_key_padding_mask=~mask(steps, lengths).t())
