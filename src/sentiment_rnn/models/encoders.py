"""Every encoder by its name in params.yaml (`cell`). Another one is a cell, or a module of its own, and a line here.

An encoder reads a batch `(T, B, F)` of `lengths` `(B,)` and gives states `(T, B, output_size)`, `hidden_size` of them
for each of its `directions`. What stands at padding steps is unspecified.
"""

from collections.abc import Callable
from functools import partial
from typing import NamedTuple

from torch import nn

from sentiment_rnn.models.cells import ConvLSTM, CoupledLSTM, EchoState, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.recurrent import Recurrent
from sentiment_rnn.models.transformer import Transformer


class Builder(NamedTuple):
    """How an encoder is made.

    `build` takes input_size, hidden_size, num_layers, bidirectional and dropout, and those values of params.yaml that
    `options` names.
    """

    build: Callable[..., Recurrent | Transformer]
    options: tuple[str, ...] = ()


def recurrent(cell: type[nn.Module], *options: str) -> Builder:
    """Layers of a cell; `options` are what it takes besides its sizes."""
    return Builder(partial(Recurrent, cell), options)


ENCODERS = {
    # on torch's fused kernels
    "rnn": recurrent(nn.RNN),
    "lstm": recurrent(nn.LSTM),
    "gru": recurrent(nn.GRU),
    # step by step
    "peephole": recurrent(PeepholeLSTM),
    "coupled": recurrent(CoupledLSTM),
    "mlstm": recurrent(MultiplicativeLSTM),
    "conv_lstm": recurrent(ConvLSTM, "window"),
    "echo_state": recurrent(EchoState, "spectral_radius", "leak", "input_scale"),
    # all steps at once
    "transformer": Builder(Transformer, ("heads",)),
}
