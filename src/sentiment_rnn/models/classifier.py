"""A review's token ids to one logit: embedding, encoder, pooling, readout."""

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
    """A recurrent text classifier with one output.

    Args:
        vocab_size: ids the model knows; every id must be below it.
        embedding_size: features of a token's vector.
        bigram_size: features of the vector of a token and the one before it, which stands behind the token's own; 0:
            there is none.
        bigram_buckets: rows that the bigrams share.
        cell: a name in `ENCODERS`.
        hidden_size: features of each direction's state.
        num_layers: of the encoder.
        bidirectional: read each review from both ends.
        initial: where the recurrent weights start: `keras` or `torch`.
        memory: tokens that some units' gates hold a state over from the start; None: `initial` alone decides.
        merge: how what the two directions found is joined: a name in `MERGE_MODES`, or `probability`, where each makes its
            own probability and the mean of the two is taken.
        pooling: names in `POOLINGS`, or `attention`; what they give is concatenated.
        word_dropout: share of the tokens whose vector is dropped in training.
        embedding_dropout: share of the embeddings' features dropped in training, the same ones at every step of
            a review (Gal & Ghahramani, 2016).
        dropout: share of features dropped between layers and before the readout in training.
        options: what some encoders take besides; each finds its own among them (`ENCODERS`).
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
            self.requires_grad_(False)  # above a reservoir the readout, which follows, is trained alone
        self.pooling = pooling
        self.attention = AdditiveAttention(self.encoder.output_size) if "attention" in pooling else None
        self.dropout = nn.Dropout(dropout)
        self.merge_mode = merge_mode if self.encoder.directions == 2 else None
        halved = self.merge_mode not in (None, "concat")
        features = len(pooling) * self.encoder.output_size // (2 if halved else 1)
        self.readout = nn.Linear(features, 1)
        self.backward_readout = nn.Linear(features, 1) if self.merge_mode == "probability" else None
        initialize(self, initializer, chrono_init)

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits of "positive".

        Args:
            ids: `(T, B)` token ids, padded behind.
            lengths: `(B,)` tokens in each review, at least 1 and at most `T`.

        Returns:
            `(B,)` logits; each depends on its own review alone.
        """
        return self.forward_embedded(self.embed(ids), lengths)

    def embed(self, ids: Tensor) -> Tensor:
        """The vectors `(T, B, F)` of ids `(T, B)`; in training some words and some features are dropped."""
        x = self.embedding(ids)
        if self.bigrams:
            x = torch.cat([x, self.bigrams(ids)], dim=-1)
        return x * self.word_dropout(torch.ones_like(x[:, :, :1])) * self.embedding_dropout(torch.ones_like(x[:1]))

    def forward_embedded(self, embedded: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` of tokens' vectors `(T, B, F)`."""
        return self.forward_states(self.encoder(embedded, lengths), lengths)

    def encode(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """The states of all steps, `(T, B, features)`, of ids `(T, B)`; unspecified where padding stands."""
        return self.encoder(self.embed(ids), lengths)

    def forward_states(self, states: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` of the states of all steps, `(T, B, features)`."""
        return self.head(self.pool(states, lengths))

    def pool(self, states: Tensor, lengths: Tensor) -> list[Tensor]:
        """What each readout reads of the states: one `(B, F)`, with `merge: probability` one a direction."""
        pooled = [self._pool(name, states, lengths) for name in self.pooling]
        if self.merge_mode in (None, "concat"):
            return [torch.cat(pooled, dim=-1)]
        halves = [vector.chunk(2, dim=-1) for vector in pooled]
        forward, backward = (torch.cat(half, dim=-1) for half in zip(*halves, strict=True))
        return (
            [forward, backward]
            if self.merge_mode == "probability"
            else [MERGE_MODES[self.merge_mode](forward, backward)]
        )

    def head(self, features: list[Tensor]) -> Tensor:
        """Logits `(B,)` of what `features` gave."""
        logits = self.readout(self.dropout(features[0])).squeeze(-1)
        if self.backward_readout is None:
            return logits
        return mean_probability(logits.float(), self.backward_readout(self.dropout(features[1])).squeeze(-1).float())

    def _pool(self, name: str, states: Tensor, lengths: Tensor) -> Tensor:
        if name == "attention":
            assert self.attention is not None
            return self.attention(states, lengths)
        return POOLINGS[name](states, lengths, self.encoder.hidden_size)
