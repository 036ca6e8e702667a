"""Recurrent layers over padded batches against torch's layers over packed sequences."""

import pytest
import torch
from torch import nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from sentiment_rnn.models.pooling import mask
from sentiment_rnn.models.recurrent import Recurrent, reverse_padded

LENGTHS = torch.tensor([7, 1, 12, 4, 12, 9])


def test_reverse_padded_reverses_each_sequence_within_its_own_length():
    x = torch.randn(15, 6, 3)
    flipped = reverse_padded(x, LENGTHS)
    for b, length in enumerate(LENGTHS.tolist()):
        for t in range(15):
            expected = x[length - 1 - t, b] if t < length else x[t, b]
            assert torch.equal(flipped[t, b], expected)


FUSED = {"rnn": nn.RNN, "lstm": nn.LSTM, "gru": nn.GRU}


def packed_reference(ours: Recurrent, cell: str, layers: int, bidirectional: bool, x: torch.Tensor) -> torch.Tensor:
    """torch's own layers with the weights of ours, over packed sequences."""
    reference = FUSED[cell](x.shape[2], ours.hidden_size, layers, bidirectional=bidirectional)
    with torch.no_grad():
        for depth, layer in enumerate(ours.layers):
            for direction, suffix in zip(layer, ("", "_reverse"), strict=False):
                for name in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
                    getattr(reference, f"{name}_l{depth}{suffix}").copy_(getattr(direction, f"{name}_l0"))
        packed = pack_padded_sequence(x, LENGTHS, enforce_sorted=False)
        return pad_packed_sequence(reference(packed)[0], total_length=x.shape[0])[0]


@pytest.mark.parametrize("extra", [0, 5])
@pytest.mark.parametrize("layers", [1, 2, 3])
@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("cell", FUSED)
def test_states_equal_those_of_torch_over_packed_sequences(cell, bidirectional, layers, extra):
    torch.manual_seed(0)
    ours = Recurrent(FUSED[cell], 5, 8, layers, bidirectional, dropout=0.5).eval()
    x = torch.randn(12 + extra, 6, 5)
    valid = mask(12 + extra, LENGTHS)
    with torch.no_grad():
        states = ours(x, LENGTHS)
    assert states.shape == (12 + extra, 6, ours.output_size) == (12 + extra, 6, 16 if bidirectional else 8)
    expected = packed_reference(ours, cell, layers, bidirectional, x)
    torch.testing.assert_close(states[valid], expected[valid], rtol=0, atol=1e-5)


def test_dropout_is_applied_between_layers_only():
    x = torch.randn(12, 6, 5)
    for layers, alike in ((1, True), (2, False)):
        model = Recurrent(nn.GRU, 5, 8, layers, True, dropout=0.5).train()
        assert torch.equal(model(x, LENGTHS), model(x, LENGTHS)) == alike
        model.eval()
        assert torch.equal(model(x, LENGTHS), model(x, LENGTHS))
