"""Poolings against plain loops over each review's own steps."""

import pytest
import torch

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
def test_pooling_is_what_a_loop_over_the_tokens_gives(name, filling, directions):
    states = torch.randn(9, 4, 3 * directions) - 2  # mostly negative: a zero at padding would be the largest
    kept = mask(9, torch.tensor(LENGTHS))
    states[~kept] = filling
    pooled = POOLINGS[name](states, torch.tensor(LENGTHS), 3)
    expected = [by_hand(name, states[:length, b].tolist(), 3) for b, length in enumerate(LENGTHS)]
    torch.testing.assert_close(pooled, torch.tensor(expected), rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", POOLINGS)
def test_padding_gets_no_gradient(name):
    states = torch.randn(9, 4, 6, requires_grad=True)
    POOLINGS[name](states, torch.tensor(LENGTHS), 3).square().sum().backward()
    kept = mask(9, torch.tensor(LENGTHS))
    assert (states.grad[~kept] == 0).all()
    assert all((states.grad[:length, b] != 0).any() for b, length in enumerate(LENGTHS))


def test_the_mask_is_true_where_a_token_stands():
    assert mask(4, torch.tensor([1, 4, 2])).t().tolist() == [
        [True, False, False, False],
        [True, True, True, True],
        [True, True, False, False],
    ]
