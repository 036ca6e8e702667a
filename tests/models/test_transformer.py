"""Positions are told apart, padding never counts."""

import torch

from sentiment_rnn.models.transformer import Transformer, positions


def test_positions_are_sines_and_cosines_of_the_step():
    found = positions(50, 8)
    assert found.shape == (50, 8)
    torch.testing.assert_close(found[:, 0], torch.arange(50).sin())
    torch.testing.assert_close(found[:, 1], torch.arange(50).cos())
    torch.testing.assert_close(found[:, 6], (torch.arange(50) / 10_000 ** (6 / 8)).sin())
    assert len({tuple(row) for row in found.tolist()}) == 50


@torch.no_grad()
def test_the_order_of_tokens_counts_and_padding_does_not():
    torch.manual_seed(0)
    model = Transformer(8, 16, 2, False, 0.1, heads=2).eval()
    x = torch.randn(9, 2, 8)
    lengths = torch.tensor([9, 4])
    states = model(x, lengths)
    alone = model(x[:4, 1:], lengths[1:])
    torch.testing.assert_close(states[:4, 1:], alone, rtol=0, atol=1e-5)
    swapped = model(x.flip(0), torch.tensor([9, 9])).flip(0)
    assert not torch.allclose(swapped[:, 0], states[:, 0], atol=1e-2)
