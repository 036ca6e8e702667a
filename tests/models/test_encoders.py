"""Properties of every encoder: independence of the batch, direction of the states."""

import pytest
import torch
from torch import nn

from sentiment_rnn.models import ENCODERS

LENGTHS = torch.tensor([7, 1, 12, 4, 12, 9])
OPTIONS = {"conv_lstm": {"window": 4}, "transformer": {"num_heads": 2}}


def build(name: str, layers: int, bidirectional: bool) -> nn.Module:
    torch.manual_seed(0)
    return ENCODERS[name](6, 8, layers, bidirectional, 0.5, **OPTIONS.get(name, {})).double().eval()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ENCODERS)
@torch.no_grad()
def test_a_padded_sequence_has_the_states_that_it_has_alone(name, bidirectional, layers):
    encoder = build(name, layers, bidirectional)
    x = torch.randn(15, 6, 6, dtype=torch.float64)
    states = encoder(x, LENGTHS)
    assert states.shape == (15, 6, encoder.output_size)
    assert encoder.output_size == encoder.hidden_size * encoder.directions
    for b, length in enumerate(LENGTHS.tolist()):
        alone = encoder(x[:length, b : b + 1], LENGTHS[b : b + 1])
        torch.testing.assert_close(states[:length, b : b + 1], alone, rtol=0, atol=1e-9)


# a convolution and self-attention have no such order
@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in ("conv_lstm", "transformer")])
@torch.no_grad()
def test_forward_states_depend_on_earlier_tokens_alone_and_backward_states_on_later_ones(name):
    encoder = build(name, 1, True)
    x = torch.randn(12, 1, 6, dtype=torch.float64)
    changed = x.clone()
    changed[8] += 1
    lengths = torch.tensor([12])
    difference = (encoder(changed, lengths) - encoder(x, lengths)).abs().squeeze(1)
    forward, backward = difference.split(8, dim=1)
    assert forward[:8].max() == 0 < forward[8:].amax(1).min()
    assert backward[9:].max() == 0 < backward[:9].amax(1).min()
