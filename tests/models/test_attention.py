"""Additive attention against its equations, with padding."""

import torch

from sentiment_rnn.models.attention import AdditiveAttention

LENGTHS = torch.tensor([7, 1, 12])


def test_pooling_matches_the_equations_and_ignores_padding():
    torch.manual_seed(0)
    attention = AdditiveAttention(6).double()
    states = torch.randn(12, 3, 6, dtype=torch.float64)
    filled = states.clone()
    filled[7:, 0] = float("inf")  # states at padding are unspecified
    with torch.no_grad():
        weights, pooled = attention.weights(states, LENGTHS), attention(states, LENGTHS)
        torch.testing.assert_close(attention(filled, LENGTHS), pooled)
    for b, length in enumerate(LENGTHS.tolist()):
        own = states[:length, b]
        scores = torch.tanh(own @ attention.hidden.weight.T + attention.hidden.bias) @ attention.score.weight[0]
        expected = torch.exp(scores) / torch.exp(scores).sum()
        torch.testing.assert_close(weights[:length, b], expected, rtol=0, atol=1e-6)
        assert weights[length:, b].abs().sum() == 0
        torch.testing.assert_close(pooled[b], expected @ own, rtol=0, atol=1e-6)
