"""The parts of a classifier that can be trained alone, with all other weights at their initial values."""

from torch import nn

from sentiment_rnn.models.cells import CellLayer
from sentiment_rnn.models.classifier import Classifier


def trainable_parameters(model: Classifier, trainable: str) -> list[list[nn.Parameter]]:
    """The trained parameters, part by part.

    Args:
        trainable: `all`, in one part; `readout`; or `readout_and_biases`, in two.
    """
    if trainable == "all":
        return [[parameter for parameter in model.parameters() if parameter.requires_grad]]
    if trainable == "readout":
        return [_readout(model)]
    return [_readout(model), _gate_biases(model)]


def _readout(model: Classifier) -> list[nn.Parameter]:
    """Weights `(1, F)` and bias `(1,)` of each readout, the forward direction's first."""
    readouts = [model.readout] if model.backward_readout is None else [model.readout, model.backward_readout]
    return [parameter for readout in readouts for parameter in readout.parameters()]


def _gate_biases(model: Classifier) -> list[nn.Parameter]:
    """One bias per gate and unit, of every layer and direction.

    torch's layers add a second, redundant bias, which is not trained.
    """
    biases: list[nn.Parameter] = []
    for layer in model.encoder.modules():
        if isinstance(layer, nn.LSTM | nn.GRU):
            biases.append(layer.get_parameter("bias_ih_l0"))
        elif isinstance(layer, CellLayer):
            biases.append(layer.bias)
    return biases
