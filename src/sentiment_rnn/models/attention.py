"""Additive attention over the states of all steps as a pooling (Bahdanau et al., 2015)."""

import torch
from torch import Tensor, nn

from sentiment_rnn.models.pooling import full_precision, mask


class AdditiveAttention(nn.Module):
    """A weighted mean of the states, with weights computed from the states.

        score_t = v . tanh(W s_t + b)
        a = softmax(score) over the tokens' steps
        pooled = sum_t a_t s_t

    Args:
        size: features of a state, `F`.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, size)
        self.score = nn.Linear(size, 1, bias=False)  # softmax cancels a bias

    def weights(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The attention weights `(T, B)`: they sum to 1 over the tokens and are 0 at padding.

        Args:
            states: `(T, B, F)`.
            lengths: `(B,)`.
        """
        scores = full_precision(self.score(torch.tanh(self.hidden(states))).squeeze(-1))
        return scores.masked_fill(~mask(states.shape[0], lengths), float("-inf")).softmax(dim=0)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The weighted mean `(B, F)`, float32 under autocast, of states `(T, B, F)`."""
        weights = self.weights(states, lengths)
        # states at padding are unspecified, and 0 * inf is not 0
        valid = states.masked_fill(~mask(states.shape[0], lengths)[:, :, None], 0.0)
        with torch.autocast(states.device.type, enabled=False):  # reductions over time are in float32
            return torch.einsum("tb,tbf->bf", weights, full_precision(valid))
