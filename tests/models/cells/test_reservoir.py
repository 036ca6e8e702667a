"""The reservoir against its equation; its spectral radius; the echo state property."""

import pytest
import torch

from sentiment_rnn.models.cells import EchoState

STEPS, BATCH, INPUT = 7, 3, 4


@pytest.mark.parametrize("radius", [0.5, 0.95, 1.3])
def test_spectral_radius_and_states_match_their_definitions(radius):
    torch.manual_seed(3)
    cell = EchoState(INPUT, 60, spectral_radius=radius, leak_rate=0.3).double()
    assert torch.linalg.eigvals(cell.weight_hh).abs().max().item() == pytest.approx(radius, rel=1e-4)
    assert not list(cell.parameters())
    assert (cell.weight_hh != 0).double().mean().item() == pytest.approx(0.1, abs=0.02)
    x = torch.randn(STEPS, BATCH, INPUT, dtype=torch.float64, requires_grad=True)
    assert not cell(x)[0].requires_grad  # no gradient flows to the embedding
    x = x.detach()
    h = torch.zeros(BATCH, 60, dtype=torch.float64)
    for t, state in enumerate(cell(x)[0]):
        h = 0.7 * h + 0.3 * torch.tanh(x[t] @ cell.weight_ih.T + h @ cell.weight_hh.T)
        torch.testing.assert_close(state, h, rtol=0, atol=1e-9)


def test_echo_state_property():
    """Below a radius of 1 the influence of different first inputs disappears."""
    apart = {}
    for radius in (0.5, 2.5):
        torch.manual_seed(3)
        cell = EchoState(INPUT, 60, spectral_radius=radius, leak_rate=1.0).double()
        same = torch.zeros(100, 1, INPUT, dtype=torch.float64)
        first = torch.randn(2, 1, INPUT, dtype=torch.float64)
        ends = [cell(torch.cat([start[None], same]))[1] for start in first]
        apart[radius] = (ends[0] - ends[1]).abs().max().item()
    assert apart[0.5] < 1e-9 < 1e-2 < apart[2.5]
