"""The transformer against its equations; positions and padding."""

import math

import torch
from torch import Tensor, nn

from sentiment_rnn.models.transformer import Transformer, positions


def test_positions_are_sines_and_cosines_of_the_step():
    found = positions(50, 8)
    assert found.shape == (50, 8)
    torch.testing.assert_close(found[:, 0], torch.arange(50).sin())
    torch.testing.assert_close(found[:, 1], torch.arange(50).cos())
    torch.testing.assert_close(found[:, 6], (torch.arange(50) / 10_000 ** (6 / 8)).sin())
    assert len({tuple(row) for row in found.tolist()}) == 50


@torch.no_grad()
def test_output_depends_on_the_order_of_tokens_and_not_on_padding():
    torch.manual_seed(0)
    model = Transformer(8, 16, 2, False, 0.1, num_heads=2).eval()
    x = torch.randn(9, 2, 8)
    lengths = torch.tensor([9, 4])
    states = model(x, lengths)
    alone = model(x[:4, 1:], lengths[1:])
    torch.testing.assert_close(states[:4, 1:], alone, rtol=0, atol=1e-5)
    swapped = model(x.flip(0), torch.tensor([9, 9])).flip(0)
    assert not torch.allclose(swapped[:, 0], states[:, 0], atol=1e-2)


def normed(norm: nn.LayerNorm, x: Tensor) -> Tensor:
    spread = (x.var(-1, unbiased=False, keepdim=True) + norm.eps).sqrt()
    return (x - x.mean(-1, keepdim=True)) / spread * norm.weight + norm.bias


@torch.no_grad()
def test_output_matches_the_equations():
    """x + attention(norm(x)), then x + feed-forward(norm(x)), and a norm at the end."""
    torch.manual_seed(0)
    model = Transformer(8, 16, 1, False, 0.1, num_heads=2).double().eval()
    for parameter in model.parameters():
        parameter.normal_(std=0.5)
    tokens = torch.randn(9, 1, 8, dtype=torch.float64)
    (layer,) = model.layers.layers
    x = tokens[:, 0] * math.sqrt(8) + 0.1 * positions(9, 8)
    mixed = normed(layer.norm1, x) @ layer.self_attn.in_proj_weight.T + layer.self_attn.in_proj_bias
    query, key, value = mixed.chunk(3, dim=1)
    heads = [
        torch.softmax(query[:, own] @ key[:, own].T / 2, dim=1) @ value[:, own]  # 2 = sqrt(features of a head)
        for own in (slice(0, 4), slice(4, 8))
    ]
    x = x + layer.self_attn.out_proj(torch.cat(heads, dim=1))
    x = x + layer.linear2(torch.relu(layer.linear1(normed(layer.norm2, x))))
    expected = normed(model.layers.norm, x)
    torch.testing.assert_close(model(tokens, torch.tensor([9]))[:, 0], expected, rtol=0, atol=1e-6)
