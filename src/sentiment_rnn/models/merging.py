"""Merge modes: how the pooled features of the two directions are combined."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# (B, F) forward, (B, F) backward
MERGE_MODES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: torch.cat([forward, backward], dim=-1),
    "sum": torch.add,
    "mean": lambda forward, backward: (forward + backward) / 2,
    "max": torch.maximum,
}


def mean_probability(forward: Tensor, backward: Tensor) -> Tensor:
    """The logit of the mean of two probabilities, computed from their logits in log space."""
    positive = torch.logaddexp(F.logsigmoid(forward), F.logsigmoid(backward))
    negative = torch.logaddexp(F.logsigmoid(-forward), F.logsigmoid(-backward))
    return positive - negative
