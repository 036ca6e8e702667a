"""Initial values of a torch model: Keras's, by default.

torch draws every recurrent weight uniformly from +-1/sqrt(hidden_size) and leaves the forget gate half shut.
Keras's choices train faster on long reviews: Glorot & Bengio (2010) for what reads the input, orthogonal
matrices (Saxe et al., 2014) for what reads the state, and a forget gate that starts open (bias 1; Gers et al.,
2000; Jozefowicz et al., 2015).
"""

import torch
from torch import Tensor, nn

from sentiment_rnn.models.cells import CellLayer


@torch.no_grad()
def initialize(model: nn.Module, recurrent: str, chrono_init: int | None) -> None:
    """Give every embedding, linear and recurrent layer of `model` its initial values, in place.

    Args:
        model: as torch made it.
        recurrent: `keras`, or `torch`: the recurrent layers stay as torch drew them.
        chrono_init: None, or tokens that some units' gates hold a state over from the start.
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
                _like_keras(module)
            if chrono_init is not None:
                _open_gates(module, chrono_init)


def _like_keras(layer: nn.RNNBase | CellLayer) -> None:
    for name, parameter in layer.named_parameters():
        if name.startswith(("weight_ih", "weight_im")):
            # one Glorot draw over the gates together, as Keras keeps them in one (F, gates * H) matrix
            nn.init.xavier_uniform_(parameter)
        elif name.startswith(("weight_hh", "weight_hm")):
            # Keras draws one orthogonal (H, gates * H) matrix: its rows are orthonormal
            nn.init.orthogonal_(parameter)
        else:
            nn.init.zeros_(parameter)
    if not isinstance(layer, nn.GRU) and (gates := _gates(layer)):
        gates["forget"].fill_(1.0)


def _open_gates(layer: nn.RNNBase | CellLayer, max_steps: int) -> None:
    """Forget gates whose units hold a state for 1 to `max_steps` steps (Tallec & Ollivier, 2018, "chrono")."""
    if gates := _gates(layer):
        gates["forget"].copy_(torch.empty_like(gates["forget"]).uniform_(1, max(2, max_steps - 1)).log())
        if "input" in gates:
            gates["input"].copy_(-gates["forget"])


def _gates(layer: nn.RNNBase | CellLayer) -> dict[str, Tensor]:
    """The biases `(H,)` of the gates that keep a state and take in a new one, where a cell has them."""
    if isinstance(layer, nn.LSTM):
        forget_and_input = layer.get_parameter("bias_ih_l0").chunk(4)  # torch's order: input, forget, cell, output
        return {"input": forget_and_input[0], "forget": forget_and_input[1]}
    if isinstance(layer, nn.GRU):
        return {"forget": layer.get_parameter("bias_ih_l0").chunk(3)[1]}  # reset, update, new: the update gate keeps
    if isinstance(layer, CellLayer) and layer.forget is not None:
        biases = layer.bias.chunk(layer.gates)
        # with four gates the first is the input gate; where it is coupled there is none
        return {"forget": biases[layer.forget]} | ({"input": biases[0]} if layer.gates == 4 else {})
    return {}
