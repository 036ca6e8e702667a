"""Poolings: the states of all steps to one vector per review, without padding."""

from collections.abc import Callable

import torch
from torch import Tensor


def mask(steps: int, lengths: Tensor) -> Tensor:
    """True at tokens and False at padding, `(T, B)`, for sequences of `lengths` `(B,)` with padding last."""
    return torch.arange(steps, device=lengths.device)[:, None] < lengths


def full_precision(x: Tensor) -> Tensor:
    """`x` in float32, unless it is float64."""
    return x.to(torch.promote_types(x.dtype, torch.float32))


def last(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The last state of each direction: forward at the last token, backward at the first.

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
    """The mean over the tokens: `(T, B, D * H)` to `(B, D * H)`, float32 under autocast."""
    valid = mask(states.shape[0], lengths)[:, :, None]
    # bfloat16 has three significant digits, and a sum of hundreds of values loses one of them
    return full_precision(states).masked_fill(~valid, 0.0).sum(0) / lengths[:, None]


def maximum(states: Tensor, lengths: Tensor, hidden_size: int) -> Tensor:
    """The maximum of each feature over the tokens: `(T, B, D * H)` to `(B, D * H)`."""
    valid = mask(states.shape[0], lengths)[:, :, None]
    # -inf, not 0: a feature may be negative at every token
    return states.masked_fill(~valid, float("-inf")).amax(0)


POOLINGS: dict[str, Callable[[Tensor, Tensor, int], Tensor]] = {"last": last, "mean": mean, "max": maximum}
