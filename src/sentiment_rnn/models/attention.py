"""Additive attention over the states of all steps (Bahdanau et al., 2015), as a way to pool them."""

import torch
from torch import Tensor, nn

from sentiment_rnn.models.pooling import mask


class AdditiveAttention(nn.Module):
    """A weighted mean of the states, whose weights the states decide.

        score_t = v . tanh(W s_t + b)
        a = softmax(score) over the tokens' steps
        pooled = sum_t a_t s_t

    Args:
        size: features of a state.
    """

    def __init__(self, size: int) -> None:
        super().__init__()
        self.hidden = nn.Linear(size, size)
        self.score = nn.Linear(size, 1, bias=False)  # a bias would move all scores alike, and so change nothing

    def weights(self, states: Tensor, lengths: Tensor) -> Tensor:
        """How much each step counts: `(T, B)`, sums of one over the tokens, zero at padding.

        Args:
            states: `(T, B, size)`.
            lengths: `(B,)`.
        """
        scores = self.score(torch.tanh(self.hidden(states))).squeeze(-1).float()
        return scores.masked_fill(~mask(states.shape[0], lengths), float("-inf")).softmax(dim=0)

    def forward(self, states: Tensor, lengths: Tensor) -> Tensor:
        """The weighted mean, `(B, size)`."""
        weights = self.weights(states, lengths)
        # padding's states are unspecified: zero times them need not be zero
        kept = states.masked_fill(~mask(states.shape[0], lengths)[:, :, None], 0.0)
        with torch.autocast(states.device.type, enabled=False):  # reductions over time are in float32
            return torch.einsum("tb,tbf->bf", weights, kept.float())
