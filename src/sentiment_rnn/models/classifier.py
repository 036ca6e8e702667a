"""The classifier: embedding, encoder, pooling, readout."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from sentiment_rnn.models.attention import AdditiveAttention
from sentiment_rnn.models.bigrams import BigramEmbedding
from sentiment_rnn.models.encoders import ENCODERS
from sentiment_rnn.models.initializers import initialize
from sentiment_rnn.models.merging import MERGE_MODES, mean_probability
from sentiment_rnn.models.pooling import POOLINGS


class Classifier(nn.Module):
    """A text classifier with one logit per review.

    Args:
        vocab_size: rows of the embedding; every id must be below it.
        embedding_size: features of a token's vector.
        bigram_size: features of the vector of a token and the one before it, concatenated to the token's own; 0: none.
        bigram_buckets: rows of the bigrams' hash table.
        cell: a name in `ENCODERS`.
        hidden_size: features of each direction's state.
        num_layers: of the encoder.
        bidirectional: read each review from both ends.
        initializer: of the recurrent weights: `keras` or `torch`.
        chrono_init: longest dependency, in tokens, of the chrono initialization; None: no such initialization.
        merge_mode: how the two directions are combined: a name in `MERGE_MODES`, or `probability`, the mean of the
            probabilities of two readouts.
        pooling: names in `POOLINGS`, or `attention`; several are concatenated.
        word_dropout: fraction of the tokens whose vector is dropped in training.
        embedding_dropout: fraction of the embedding features dropped in training, the same ones at every step of
            a review (Gal & Ghahramani, 2016).
        dropout: fraction of the features dropped in training, between layers and before the readout.
        cell_options: further arguments of the encoder (`ENCODERS`).
    """

    def __init__(
        self,
        *,
        vocab_size: int,
        embedding_size: int,
        bigram_size: int,
        bigram_buckets: int,
        cell: str,
        hidden_size: int,
        num_layers: int,
        bidirectional: bool,
        initializer: str,
        chrono_init: int | None,
        merge_mode: str,
        pooling: list[str],
        word_dropout: float,
        embedding_dropout: float,
        dropout: float,
        cell_options: Mapping[str, Any],
    ) -> None:
        super().__init__()
        self.embedding = nn.Embedding(vocab_size, embedding_size)
        self.bigrams = BigramEmbedding(bigram_buckets, bigram_size) if bigram_size else None
        self.word_dropout = nn.Dropout(word_dropout)
        self.embedding_dropout = nn.Dropout(embedding_dropout)
        size = embedding_size + bigram_size
        self.encoder = ENCODERS[cell](size, hidden_size, num_layers, bidirectional, dropout, **cell_options)
        if not list(self.encoder.parameters()):
            self.requires_grad_(False)  # of a reservoir only the readout, made below, is trained
        self.pooling = pooling
        self.attention = AdditiveAttention(self.encoder.output_size) if "attention" in pooling else None
        self.dropout = nn.Dropout(dropout)
        self.merge_mode = merge_mode if self.encoder.directions == 2 else None
        separate = self.merge_mode not in (None, "concat")
        features = len(pooling) * self.encoder.output_size // (2 if separate else 1)
        self.readout = nn.Linear(features, 1)
        self.backward_readout = nn.Linear(features, 1) if self.merge_mode == "probability" else None
        initialize(self, initializer, chrono_init)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of the class "positive".

        Args:
            ids: `(T, B)` token ids, padding last.
            lengths: `(B,)` tokens in each review, at least 1 and at most `T`.

        Returns:
            `(B,)`. A review's logit does not depend on the rest of the batch.
        """
        return self.forward_embedded(self.embed(ids), lengths)

    def embed(self, ids: Tensor) -> Tensor:
        """The embeddings `(T, B, F)` of ids `(T, B)`; in training with word and feature dropout."""
        x = self.embedding(ids)
        if self.bigrams:
            x = torch.cat([x, self.bigrams(ids)], dim=-1)
        return x * self.word_dropout(torch.ones_like(x[:, :, :1])) * self.embedding_dropout(torch.ones_like(x[:1]))

    def forward_embedded(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` from embeddings `(T, B, F)`."""
        return self.forward_states(self.encoder(embedded, lengths), lengths)

    def encode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The encoder's states `(T, B, features)` of ids `(T, B)`; unspecified at padding."""
        return self.encoder(self.embed(ids), lengths)

    def forward_states(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` from the encoder's states `(T, B, features)`."""
        return self.head(self.pool(states, lengths))

    def pool(self, states: Tensor, lengths: Tensor) -> list[Tensor]:
        """The input `(B, F)` of each readout: one, or with `merge_mode: probability` one per direction."""
        pooled = [self._pool(name, states, lengths) for name in self.pooling]
        if self.merge_mode in (None, "concat"):
            return [torch.cat(pooled, dim=-1)]
        directions = [vector.chunk(2, dim=-1) for vector in pooled]
        forward, backward = (torch.cat(vectors, dim=-1) for vectors in zip(*directions, strict=True))
        if self.merge_mode == "probability":
            return [forward, backward]
        return [MERGE_MODES[self.merge_mode](forward, backward)]

    def head(self, pooled: list[Tensor]) -> Tensor:
        """Logits `(B,)` from the pooled features."""
        logits = self.readout(self.dropout(pooled[0])).squeeze(-1)
        if self.backward_readout is None:
            return logits
        return mean_probability(logits.float(), self.backward_readout(self.dropout(pooled[1])).squeeze(-1).float())

    def _pool(self, name: str, states: Tensor, lengths: Tensor) -> Tensor:
        if name == "attention":
            assert self.attention is not None
            return self.attention(states, lengths)
        return POOLINGS[name](states, lengths, self.encoder.hidden_size)
