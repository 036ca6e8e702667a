"""Inside a recurrent layer: its gates and its states at every step.

No cell is written a second time to be looked at. A cell of `models.cells` runs its own code while every sigmoid and
tanh that it computes is written down. torch's fused kernels show nothing but hidden states: an LSTM's or a GRU's
weights are lent to a cell with the same equations, which takes the same steps one by one.
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

GATES = ("forget", "input", "output", "reset", "update")  # the order in which they are shown


class StepwiseGRU(CellLayer):
    """torch's GRU (Cho et al., 2014) step by step.

    r = sigma(W_r x + b_r + U_r h)                  reset gate
    z = sigma(W_z x + b_z + U_z h)                  update gate: as torch has it, it keeps the old state
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


# what a step of a cell puts through a sigmoid or a tanh, in its code's order; `cell` is what its last tanh is given
LSTM = ("forget", "input", "candidate", "output", "cell")
COMPUTED: dict[type[nn.Module], tuple[str, ...]] = {
    PeepholeLSTM: LSTM,
    MultiplicativeLSTM: LSTM,
    ConvLSTM: LSTM,
    CoupledLSTM: ("forget", "candidate", "output", "cell"),
    StepwiseGRU: ("reset", "update", "candidate"),
}


class Recorder(TorchFunctionMode):
    """Within it every sigmoid's and tanh's argument and result is kept in `calls`."""

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


def stepwise(layer: nn.Module) -> nn.Module:
    """A layer whose steps can be watched: the same function with the same weights."""
    if isinstance(layer, nn.LSTM):
        cell: CellLayer = PeepholeLSTM(layer.input_size, layer.hidden_size)  # its peepholes are zero until trained
        bias = layer.get_parameter("bias_ih_l0") + layer.get_parameter("bias_hh_l0")
        own = {"bias": bias, "peepholes": torch.zeros(3, layer.hidden_size)}
    elif isinstance(layer, nn.GRU):
        cell = StepwiseGRU(layer.input_size, layer.hidden_size)
        own = {"bias": layer.get_parameter("bias_ih_l0"), "bias_hh": layer.get_parameter("bias_hh_l0")}
    else:
        return layer
    weights = {name: layer.get_parameter(f"{name}_l0") for name in ("weight_ih", "weight_hh")}
    cell.load_state_dict(weights | own)
    return cell


def inside(layer: nn.Module, x: Tensor) -> dict[str, Tensor]:
    """What one direction of one layer computes of one sequence.

    Args:
        layer: any of `ENCODERS`' cells.
        x: `(T, 1, F)`, in the order in which the layer reads it, without padding.

    Returns:
        By name, each `(T, H)`: the gates and the candidate that the cell has, its cell state `cell` if it keeps one,
        and its hidden state `hidden`. Of a cell without gates, `hidden` alone.
    """
    cell = stepwise(layer)
    with Recorder() as recorder:
        states = cell(x)[0]
    names = COMPUTED.get(type(cell), ())
    seen = {}
    for place, name in enumerate(names):
        calls = recorder.calls[place :: len(names)]
        values = torch.stack([argument if name == "cell" else result for argument, result in calls])
        if values.dim() == 4:  # of windows, (windows, 1, H, places): a token is a place in a window
            values = values.permute(0, 3, 1, 2).flatten(0, 1)[: len(x)]
        seen[name] = values[:, 0]
    if isinstance(cell, CoupledLSTM):
        seen["input"] = 1 - seen["forget"]
    return seen | {"hidden": states[:, 0]}


def look(encoder: Recurrent | Transformer, embedded: Tensor) -> tuple[Tensor, dict[str, dict[str, Tensor]]]:
    """Run an encoder over one review, and look into its last layer: the one whose states are pooled.

    Args:
        encoder: in evaluation mode.
        embedded: `(T, 1, F)`, without padding.

    Returns:
        The encoder's states `(T, 1, D * H)`; and by direction what `inside` gives, at its token's step.
    """
    lengths = torch.tensor([len(embedded)])
    if not isinstance(encoder, Recurrent):
        states = encoder(embedded, lengths)
        return states, {"all at once": {"hidden": states[:, 0]}}
    layers: nn.ModuleList = encoder.layers[-1]  # type: ignore[assignment]
    inputs: list[Tensor] = []
    hooks = [layer.register_forward_pre_hook(lambda _, given: inputs.append(given[0])) for layer in layers]
    try:
        states = encoder(embedded, lengths)
    finally:
        for hook in hooks:
            hook.remove()
    seen = {"forward": inside(layers[0], inputs[0])}
    if encoder.directions == 2:  # the backward layer has read the review from its end
        seen["backward"] = {name: values.flip(0) for name, values in inside(layers[1], inputs[1]).items()}
    return states, seen
