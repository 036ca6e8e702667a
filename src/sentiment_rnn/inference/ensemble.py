"""Ensemble of classifiers: the mean of their logits."""

from collections.abc import Sequence

import torch
from torch import Tensor, nn


class Ensemble(nn.Module):
    """Classifiers of one architecture, combined by the mean of their logits.

    The odds of "positive" are the geometric mean of the members' odds (a logarithmic opinion pool; Heskes, 1998).

    Args:
        members: one or more `models.Classifier`s with the same encoding.
    """

    def __init__(self, members: Sequence[nn.Module]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` of ids `(T, B)` and lengths `(B,)`, as `Classifier.forward`."""
        return torch.stack([member(ids, lengths) for member in self.members]).mean(dim=0)
