"""Gates and states of a recurrent layer at every step.

The cells of `models.cells` run their own code while a `TorchFunctionMode` records each sigmoid and tanh. torch's fused
LSTM and GRU return hidden states only: their weights are copied to a cell with the same equations that runs step by
step.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from sentiment_rnn.models.cells import CellLayer, ConvLSTM, CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM
from sentiment_rnn.models.cells.layer import State
from sentiment_rnn.models.recurrent import Recurrent
from sentiment_rnn.models.transformer import Transformer

GATES = ("forget", "input", "output", "reset", "update")  # in the order of the table and the plot


class StepwiseGRU(CellLayer):
    """torch's GRU (Cho et al., 2014) step by step.

    r = sigma(W_r x + b_r + U_r h)                  reset gate
    z = sigma(W_z x + b_z + U_z h)                  update gate; as in torch, 1 keeps the old state
    n = tanh(W_n x + b_n + r * (U_n h + d))         candidate
    h' = (1 - z) * n + z * h
    """

    gates = 3
    num_states = 1

    def __init__(self, input_size: int, hidden_size: int) -> None:
        super().__init__(input_size, hidden_size)
        self.bias_hh = nn.Parameter(torch.zeros(3 * hidden_size))

    def step(self, projected: Tensor, state: State) -> State:
        (h,) = state
        x_r, x_z, x_n = projected.chunk(3, dim=-1)
        h_r, h_z, h_n = F.linear(h, self.weight_hh, self.bias_hh).chunk(3, dim=-1)
        r, z = torch.sigmoid(x_r + h_r), torch.sigmoid(x_z + h_z)
        return ((1 - z) * torch.tanh(x_n + r * h_n) + z * h,)


# the sigmoids and tanhs of a cell's step in the order of its code; `cell` is the argument of the last tanh
LSTM = ("forget", "input", "candidate", "output", "cell")
ACTIVATIONS: dict[type[nn.Module], tuple[str, ...]] = {
    PeepholeLSTM: LSTM,
    MultiplicativeLSTM: LSTM,
    ConvLSTM: LSTM,
    CoupledLSTM: ("forget", "candidate", "output", "cell"),
    StepwiseGRU: ("reset", "update", "candidate"),
}


class Recorder(TorchFunctionMode):
    """Records the argument and the result of each sigmoid and tanh within its block, in `calls`."""

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[tuple[Tensor, Tensor]] = []

    def __torch_function__(
        self, func: Callable[..., Any], types: Sequence[type], args: tuple = (), kwargs: Mapping[str, Any] | None = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        if func in (torch.sigmoid, torch.tanh):
            self.calls.append((args[0], result))
        return result


def unfuse(layer: nn.Module) -> nn.Module:
    """Convert torch's LSTM or GRU to a cell that computes the same step by step; other layers are returned as is."""
    if isinstance(layer, nn.LSTM):
        cell: CellLayer = PeepholeLSTM(layer.input_size, layer.hidden_size)  # with peepholes of zero it is an LSTM
        bias = layer.get_parameter("bias_ih_l0") + layer.get_parameter("bias_hh_l0")
        parameters = {"bias": bias, "peepholes": torch.zeros(3, layer.hidden_size)}
    elif isinstance(layer, nn.GRU):
        cell = StepwiseGRU(layer.input_size, layer.hidden_size)
        parameters = {"bias": layer.get_parameter("bias_ih_l0"), "bias_hh": layer.get_parameter("bias_hh_l0")}
    else:
        return layer
    weights = {name: layer.get_parameter(f"{name}_l0") for name in ("weight_ih", "weight_hh")}
    cell.load_state_dict(weights | parameters)
    return cell


def record_cell(layer: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """Record the gates and states of one direction of one layer over one sequence.

    Args:
        layer: any cell of `ENCODERS`.
        x: `(T, 1, F)` in the order of the layer's steps, without padding.

    Returns:
        By name, each `(T, H)`: the cell's gates and its candidate, the cell state `cell` if it has one, and the hidden
        state `hidden`. Of a cell without gates, `hidden` alone.
    """
    cell = unfuse(layer)
    with Recorder() as recorder:
        states = cell(x)[0]
    names = ACTIVATIONS.get(type(cell), ())
    recorded = {}
    for position, name in enumerate(names):
        calls = recorder.calls[position :: len(names)]
        values = torch.stack([argument if name == "cell" else result for argument, result in calls])
        if values.dim() == 4:  # ConvLSTM, (windows, 1, H, places): each token is a place in a window
            values = values.permute(0, 3, 1, 2).flatten(0, 1)[: len(x)]
        recorded[name] = values[:, 0]
    if isinstance(cell, CoupledLSTM):
        recorded["input"] = 1 - recorded["forget"]
    return recorded | {"hidden": states[:, 0]}


def trace_encoder(encoder: Recurrent | Transformer, embedded: Tensor) -> tuple[Tensor, dict[str, dict[str, Tensor]]]:
    """Run an encoder over one review, and record its last layer, whose states are pooled.

    Args:
        encoder: in evaluation mode.
        embedded: `(T, 1, F)`, without padding.

    Returns:
        The encoder's states `(T, 1, D * H)`; and by direction the result of `record_cell`, in the order of the tokens.
        A transformer has one direction, `all at once`, with its hidden states.
    """
    lengths = torch.tensor([len(embedded)])
    if not isinstance(encoder, Recurrent):
        states = encoder(embedded, lengths)
        return states, {"all at once": {"hidden": states[:, 0]}}
    layers: nn.ModuleList = encoder.layers[-1]  # type: ignore[assignment]
    inputs: list[Tensor] = []
    hooks = [layer.register_forward_pre_hook(lambda _, arguments: inputs.append(arguments[0])) for layer in layers]
    try:
        states = encoder(embedded, lengths)
    finally:
        for hook in hooks:
            hook.remove()
    recorded = {"forward": record_cell(layers[0], inputs[0])}
    if encoder.directions == 2:  # the backward layer runs from the last token to the first
        backward = record_cell(layers[1], inputs[1])
        recorded["backward"] = {name: values.flip(0) for name, values in backward.items()}
    return states, recorded
