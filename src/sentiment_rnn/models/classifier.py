"""A review's token ids to one logit: embedding, recurrent layers, pooling, readout."""

import torch
from torch import Tensor, nn

from sentiment_rnn.models.initial import initialise
from sentiment_rnn.models.pooling import POOLINGS
from sentiment_rnn.models.recurrent import Recurrent


class Classifier(nn.Module):
    """A recurrent text classifier with one output.

    Args:
        vocab_size: ids the model knows; every id must be below it.
        embedding_size: features of a token's vector.
        cell: `rnn`, `lstm` or `gru`.
        hidden_size: features of each direction's state.
        num_layers: recurrent layers.
        bidirectional: read each review from both ends.
        pooling: names in `POOLINGS`; what they give is concatenated.
        word_dropout: share of the tokens whose vector is dropped in training.
        embedding_dropout: share of the embeddings' features dropped in training, the same ones at every step of
            a review (Gal & Ghahramani, 2016).
        dropout: share of features dropped between layers and before the readout in training.
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        embedding_size: int,
        cell: str,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        pooling: list[str],
        word_dropout: float,
        embedding_dropout: float,
        dropout: float,
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.word_dropout = nn.Dropout(word_dropout)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        self.recurrent = Recurrent(cell, embedding_size, hidden_size, num_layers, bidirectional, dropout)
        self.pooling = pooling
        self.dropout = nn.Dropout(dropout)
        self.readout = nn.Linear(len(pooling) * self.recurrent.output_size, 1)
        initialise(self)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of "positive".

        Args:
            ids: `(T, B)` token ids, padded behind.
            lengths: `(B,)` tokens in each review, at least 1 and at most `T`.

        Returns:
            `(B,)` logits; each depends on its own review alone.
        """
        x = self.embedding(ids)
        x = x * self.word_dropout(torch.ones_like(x[:, :, :1])) * self.embedding_dropout(torch.ones_like(x[:1]))
        states = self.recurrent(x, lengths)
        pooled = [POOLINGS[name](states, lengths, self.recurrent.hidden_size) for name in self.pooling]
        return self.readout(self.dropout(torch.cat(pooled, dim=-1))).squeeze(-1)
