"""Initial values of a model's weights.

torch samples all recurrent weights and biases uniformly within +-1/sqrt(H). Keras's initializers train faster on long
reviews: Glorot & Bengio (2010) for the input weights, orthogonal recurrent weights (Saxe et al., 2014), and a forget
gate bias of 1 (Gers et al., 2000; Jozefowicz et al., 2015).
"""

import torch
from torch import Tensor, nn

from sentiment_rnn.models.cells import CellLayer


@torch.no_grad()
def initialize(model: nn.Module, recurrent: str, chrono_init: int | None) -> None:
    """Initialize every embedding, linear and recurrent layer, in place.

    Args:
        model: freshly constructed.
        recurrent: `keras`, or `torch`, which leaves the recurrent layers unchanged.
        chrono_init: longest dependency, in steps, of the chrono initialization; None: no such initialization.
    """
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            nn.init.uniform_(module.weight, -0.05, 0.05)
        elif isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            if module.bias is not None:
                nn.init.zeros_(module.bias)
        elif isinstance(module, nn.RNNBase | CellLayer):
            if recurrent == "keras":
                _initialize_as_keras(module)
            if chrono_init is not None:
                _initialize_chrono(module, chrono_init)


def _initialize_as_keras(layer: nn.RNNBase | CellLayer) -> None:
    for name, parameter in layer.named_parameters():
        if name.startswith(("weight_ih", "weight_im")):
            # over all gates together: in Keras they are one (F, gates * H) matrix
            nn.init.xavier_uniform_(parameter)
        elif name.startswith(("weight_hh", "weight_hm")):
            # as in Keras, one (H, gates * H) matrix with orthonormal rows
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
    if not isinstance(layer, nn.GRU) and (gates := _gates(layer)):
        gates["forget"].fill_(1.0)


def _initialize_chrono(layer: nn.RNNBase | CellLayer, max_steps: int) -> None:
    """Chrono initialization: time constants from 1 to `max_steps` steps (Tallec & Ollivier, 2018)."""
    if gates := _gates(layer):
        gates["forget"].copy_(torch.empty_like(gates["forget"]).uniform_(1, max(2, max_steps - 1)).log())
        if "input" in gates:
            gates["input"].copy_(-gates["forget"])


def _gates(layer: nn.RNNBase | CellLayer) -> dict[str, Tensor]:
    """The biases `(H,)` of the forget gate (the GRU's update gate) and the input gate, where a cell has them."""
    if isinstance(layer, nn.LSTM):
        gates = layer.get_parameter("bias_ih_l0").chunk(4)  # torch's order: input, forget, cell, output
        return {"input": gates[0], "forget": gates[1]}
    if isinstance(layer, nn.GRU):
        return {"forget": layer.get_parameter("bias_ih_l0").chunk(3)[1]}  # torch's order: reset, update, new
    if isinstance(layer, CellLayer) and layer.forget is not None:
        biases = layer.bias.chunk(layer.gates)
        # of four gates the first is the input gate; coupled gates have none
        return {"forget": biases[layer.forget]} | ({"input": biases[0]} if layer.gates == 4 else {})
    return {}
