"""Vectors of pairs of tokens, beside the tokens' own: what a linear model counts, for a model that reads."""

import torch
from torch import Tensor, nn

FACTOR, PRIME = 1_540_483_477, 2**31 - 1  # odd and large; a product of two such numbers fits in 63 bits


class BigramEmbedding(nn.Module):
    """One table for all pairs of neighbours, each in the row of its hash (fastText; Joulin et al., 2017).

    Pairs may share a row; which do is the same in every process.

    Args:
        buckets: rows of the table.
        size: features of a row.
    """

    def __init__(self, buckets: int, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, size)

    def forward(self, ids: Tensor) -> Tensor:
        """For each step of ids `(T, B)` the vector `(T, B, size)` of its token and the one before it."""
        vectors: Tensor = self.table(self.rows(ids))
        return vectors

    def rows(self, ids: Tensor) -> Tensor:
        """The rows `(T, B)` of ids `(T, B)`; padding stands before the first."""
        before = torch.cat([torch.zeros_like(ids[:1]), ids[:-1]])
        return (before * FACTOR + ids) % PRIME % self.table.num_embeddings
