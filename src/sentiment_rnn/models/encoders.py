"""The encoders by their names in params.yaml (`cell`). A new one is a cell or a module, and an entry here.

An encoder maps a batch `(T, B, F)` with `lengths` `(B,)` to states `(T, B, output_size)`, `hidden_size` features for
each of its `directions`. The states at padding are unspecified.
"""

from collections.abc import Callable
from functools import partial

from torch import nn

from sentiment_rnn.models.cells import ConvLSTM, CoupledLSTM, EchoState, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.recurrent import Recurrent
from sentiment_rnn.models.transformer import Transformer

# each takes input_size, hidden_size, num_layers, bidirectional and dropout, and as keywords the values of its section
# of params.yaml, if it has one
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
