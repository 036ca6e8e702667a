"""How what the two directions found in a review is joined."""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from torch import Tensor

# of two (B, F), forward and backward
MERGE_MODES: dict[str, Callable[[Tensor, Tensor], Tensor]] = {
    "concat": lambda forward, backward: torch.cat([forward, backward], dim=-1),
    "sum": torch.add,
    "mean": lambda forward, backward: (forward + backward) / 2,
    "max": torch.maximum,
}


def mean_probability(forward: Tensor, backward: Tensor) -> Tensor:
    """The logit of the mean of two probabilities, from their logits; without leaving the logarithms."""
    yes = torch.logaddexp(F.logsigmoid(forward), F.logsigmoid(backward))
    no = torch.logaddexp(F.logsigmoid(-forward), F.logsigmoid(-backward))
    return yes - no
