"""The models of several seeds as one."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Average(nn.Module):
    """Classifiers of one architecture as one: its logit is the mean of theirs.

    Its odds of "positive" are thus the geometric mean of its members' odds: their probabilities averaged geometrically
    and normalised again (a logarithmic opinion pool; Heskes, 1998).

    Args:
        members: `models.Classifier`s, one or more, which read ids the same way.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` of ids `(T, B)` and lengths `(B,)`, as `Classifier` takes and gives them."""
        return torch.stack([member(ids, lengths) for member in self.members]).mean(dim=0)
