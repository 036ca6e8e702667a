"""Hashed bigram embeddings: the n-gram features of a linear model as input of a network."""

import torch
from torch import Tensor, nn

FACTOR, PRIME = 1_540_483_477, 2**31 - 1  # of the hash; a token id times FACTOR fits in 63 bits


class BigramEmbedding(nn.Module):
    """One embedding table for all bigrams, indexed by a hash (fastText; Joulin et al., 2017).

    Bigrams whose hashes collide share a row. The hash is the same in every process.

    Args:
        buckets: rows of the table.
        size: features of a row.
    """

    def __init__(self, buckets: int, size: int) -> None:
        super().__init__()
        self.table = nn.Embedding(buckets, size)

    def forward(self, ids: Tensor) -> Tensor:
        """The vectors `(T, B, size)` of each token of ids `(T, B)` and the one before it."""
        vectors: Tensor = self.table(self.rows(ids))
        return vectors

    def rows(self, ids: Tensor) -> Tensor:
        """The table rows `(T, B)` of ids `(T, B)`; the first token follows padding."""
        before = torch.cat([torch.zeros_like(ids[:1]), ids[:-1]])
        return (before * FACTOR + ids) % PRIME % self.table.num_embeddings
