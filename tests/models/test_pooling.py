"""Poolings against loops over each review's tokens, also under bfloat16 autocast."""

import pytest
import torch

from sentiment_rnn.models.attention import AdditiveAttention
from sentiment_rnn.models.pooling import POOLINGS, mask

LENGTHS = [1, 3, 7, 5]


def by_hand(name: str, states: list, hidden: int) -> list[float]:
    """The pooled vector of one review; `states` is a list of steps, each a list of features."""
    features = range(len(states[0]))
    if name == "mean":
        return [sum(step[f] for step in states) / len(states) for f in features]
    if name == "max":
        return [max(step[f] for step in states) for f in features]
    return states[-1][:hidden] + states[0][hidden:]


@pytest.mark.parametrize("directions", [1, 2])
@pytest.mark.parametrize("filling", [0.0, 100.0, -100.0, float("nan")])
@pytest.mark.parametrize("name", POOLINGS)
def test_pooling_equals_a_loop_over_the_tokens(name, filling, directions):
    states = torch.randn(9, 4, 3 * directions) - 2  # mostly negative: a zero at padding would be the largest
    states[~mask(9, torch.tensor(LENGTHS))] = filling
    pooled = POOLINGS[name](states, torch.tensor(LENGTHS), 3)
    expected = [by_hand(name, states[:length, b].tolist(), 3) for b, length in enumerate(LENGTHS)]
    torch.testing.assert_close(pooled, torch.tensor(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_padding_gets_no_gradient(name):
    states = torch.randn(9, 4, 6, requires_grad=True)
    POOLINGS[name](states, torch.tensor(LENGTHS), 3).square().sum().backward()
    assert (states.grad[~mask(9, torch.tensor(LENGTHS))] == 0).all()
    assert all((states.grad[:length, b] != 0).any() for b, length in enumerate(LENGTHS))


@pytest.mark.parametrize("name", ["mean", "attention"])
@torch.no_grad()
def test_reductions_over_time_are_in_float32_under_bfloat16_autocast(name):
    """Against float64, from the same bfloat16 states: a reduction in bfloat16 is off by up to 0.4 %."""
    torch.manual_seed(0)
    lengths = torch.tensor([400, 399, 257, 31])
    states = (torch.rand(400, 4, 6) + 1).bfloat16()
    attention = AdditiveAttention(6)
    with torch.autocast("cpu", torch.bfloat16):
        pooled = attention(states, lengths) if name == "attention" else POOLINGS["mean"](states, lengths, 6)
        weights = attention.weights(states, lengths).double()
    if name == "mean":
        weights = mask(400, lengths) / lengths.double()
    expected = torch.einsum("tb,tbf->bf", weights, states.double())
    torch.testing.assert_close(pooled, expected.float(), rtol=1e-6, atol=0)


@pytest.mark.parametrize("name", POOLINGS)
def test_float64_stays_float64(name):
    assert POOLINGS[name](torch.randn(9, 4, 6).double(), torch.tensor(LENGTHS), 3).dtype == torch.float64


def test_mask_is_true_at_tokens():
    assert mask(4, torch.tensor([1, 4, 2])).t().tolist() == [
        [True, False, False, False],
        [True, True, True, True],
        [True, True, False, False],
    ]
