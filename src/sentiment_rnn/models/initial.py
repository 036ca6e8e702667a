"""Keras's initial values for a torch model.

torch draws every recurrent weight uniformly from +-1/sqrt(hidden_size) and leaves the forget gate half shut.
Keras's choices train faster on long reviews: Glorot & Bengio (2010) for what reads the input, orthogonal
matrices (Saxe et al., 2014) for what reads the state, and a forget gate that starts open (bias 1; Gers et al.,
2000; Jozefowicz et al., 2015).
"""

import torch
from torch import nn

from sentiment_rnn.models.cells import CellLayer


@torch.no_grad()
def initialise(model: nn.Module) -> None:
    """Give every embedding, linear and recurrent layer of `model` Keras's initial values, in place."""
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.uniform_(module.weight, -0.05, 0.05)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RNNBase | CellLayer):
            _initialise_recurrent(module)


def _initialise_recurrent(layer: nn.RNNBase | CellLayer) -> None:
    for name, parameter in layer.named_parameters():
        if name.startswith(("weight_ih", "weight_im")):
            # one Glorot draw over the gates together, as Keras keeps them in one (F, gates * H) matrix
            nn.init.xavier_uniform_(parameter)
        elif name.startswith(("weight_hh", "weight_hm")):
            # Keras draws one orthogonal (H, gates * H) matrix: its rows are orthonormal
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
            if isinstance(layer, nn.LSTM) and name.startswith("bias_ih"):
                parameter[layer.hidden_size : 2 * layer.hidden_size] = 1.0  # torch's order: input, forget, cell, output
            elif isinstance(layer, CellLayer) and name == "bias" and layer.forget is not None:
                parameter.chunk(layer.gates)[layer.forget].fill_(1.0)
