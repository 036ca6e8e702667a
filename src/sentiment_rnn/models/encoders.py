"""Every encoder by its name in params.yaml (`cell`). Another one is a cell, or a module of its own, and a line here.

An encoder reads a batch `(T, B, F)` of `lengths` `(B,)` and gives states `(T, B, output_size)`, `hidden_size` of them
for each of its `directions`. What stands at padding steps is unspecified.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from sentiment_rnn.models.cells import ConvLSTM, CoupledLSTM, EchoState, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.recurrent import Recurrent
from sentiment_rnn.models.transformer import Transformer

# each takes input_size, hidden_size, num_layers, bidirectional and dropout, and by name the values of its own section in
# params.yaml, if it has one
ENCODERS: dict[str, Callable[..., Recurrent | Transformer]] = {
    # on torch's fused kernels
    "rnn": partial(Recurrent, nn.RNN),
    "lstm": partial(Recurrent, nn.LSTM),
    "gru": partial(Recurrent, nn.GRU),
    # step by step
    "peephole": partial(Recurrent, PeepholeLSTM),
    "coupled": partial(Recurrent, CoupledLSTM),
    "mlstm": partial(Recurrent, MultiplicativeLSTM),
    "conv_lstm": partial(Recurrent, ConvLSTM),
    "echo_state": partial(Recurrent, EchoState),
    # all steps at once
    "transformer": Transformer,
}
