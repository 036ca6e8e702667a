"""From the states of all steps to one vector a review. Padding never counts."""

from collections.abc import Callable

import torch
from torch import Tensor


def mask(steps: int, lengths: Tensor) -> Tensor:
    """True where a token stands, `(T, B)`, for sequences of `lengths` `(B,)` padded behind to `steps`."""
    return torch.arange(steps, device=lengths.device)[:, None] < lengths


def last(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The state each direction ends in: forward at the last token, backward at the first.

    Args:
        states: `(T, B, D * H)`, forward features first.
        lengths: `(B,)`.
        hidden_size: `H`.

    Returns:
        `(B, D * H)`.
    """
    batch = torch.arange(states.shape[1], device=states.device)
    forward = states[lengths - 1, batch, :hidden_size]
    return torch.cat([forward, states[0, :, hidden_size:]], dim=-1)


def mean(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The mean over the tokens' steps: `(T, B, D * H)` to `(B, D * H)`."""
    kept = mask(states.shape[0], lengths)[:, :, None]
    # in float32 also under autocast: bfloat16 has three digits, and a sum of hundreds of states loses the last of them
    return states.float().masked_fill(~kept, 0.0).sum(0) / lengths[:, None]


def maximum(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The largest value of each feature over the tokens' steps: `(T, B, D * H)` to `(B, D * H)`."""
    kept = mask(states.shape[0], lengths)[:, :, None]
    # -inf, not 0: a state of tanh may be negative at every token
    return states.masked_fill(~kept, float("-inf")).amax(0)


POOLINGS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {"last": last, "mean": mean, "max": maximum}
