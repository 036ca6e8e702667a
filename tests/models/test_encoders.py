"""What holds for every encoder of the table."""

import pytest
import torch
from torch import nn

from sentiment_rnn.models import ENCODERS

LENGTHS = torch.tensor([7, 1, 12, 4, 12, 9])
OPTIONS = {"window": 4, "spectral_radius": 0.9, "leak": 0.5, "input_scale": 1.0, "heads": 2}


def made(name: str, layers: int, bidirectional: bool) -> nn.Module:
    torch.manual_seed(0)
    build, names = ENCODERS[name]
    encoder = build(6, 8, layers, bidirectional, 0.5, **{option: OPTIONS[option] for option in names})
    return encoder.double().eval()


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("name", ENCODERS)
@torch.no_grad()
def test_a_padded_sequence_has_the_states_that_it_has_alone(name, bidirectional, layers):
    encoder = made(name, layers, bidirectional)
    x = torch.randn(15, 6, 6, dtype=torch.float64)
    states = encoder(x, LENGTHS)
    assert states.shape == (15, 6, encoder.output_size)
    assert encoder.output_size == encoder.hidden_size * encoder.directions
    for b, length in enumerate(LENGTHS.tolist()):
        alone = encoder(x[:length, b : b + 1], LENGTHS[b : b + 1])
        torch.testing.assert_close(states[:length, b : b + 1], alone, rtol=0, atol=1e-9)


# a convolution sees a step's neighbours, self-attention sees all steps
@pytest.mark.parametrize("name", [name for name in ENCODERS if name not in ("conv_lstm", "transformer")])
@torch.no_grad()
def test_forward_states_know_what_stands_before_and_backward_ones_what_stands_behind(name):
    encoder = made(name, 1, True)
    x = torch.randn(12, 1, 6, dtype=torch.float64)
    changed = x.clone()
    changed[8] += 1
    lengths = torch.tensor([12])
    moved = (encoder(changed, lengths) - encoder(x, lengths)).abs().squeeze(1)
    forward, backward = moved.split(8, dim=1)
    assert forward[:8].max() == 0 < forward[8:].amax(1).min()
    assert backward[9:].max() == 0 < backward[:9].amax(1).min()
