"""Recorded gates and states against the equations in numpy, torch's own cells and the fused kernels."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sentiment_rnn.explain.gates import record_cell, trace_encoder
from sentiment_rnn.models import ENCODERS
from sentiment_rnn.models.cells import CellLayer, ConvLSTM, CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM

STEPS, INPUT, HIDDEN = 11, 4, 5


def sigma(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def random_layer(kind: type[nn.Module], **options: int) -> nn.Module:
    """A layer with random weights, peepholes and biases too, so that no two gates are equal."""
    torch.manual_seed(3)
    layer = kind(INPUT, HIDDEN, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=0.7)
    return layer


def equations(layer: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """The equations of a cell's docstring in float64: each `(T, H)`, of one sequence `(T, 1, F)`."""
    own = {name.removesuffix("_l0"): value.detach().double().numpy() for name, value in layer.named_parameters()}
    if isinstance(layer, ConvLSTM):  # a window of one token: only the middle of each kernel is used
        own = {name: value[..., value.shape[-1] // 2] if value.ndim == 3 else value for name, value in own.items()}
    values: dict[str, list[np.ndarray]] = {}
    h = c = np.zeros(HIDDEN)
    for x_t in x[:, 0].double().numpy():
        input_part = own["weight_ih"] @ x_t + own.get("bias", own.get("bias_ih", 0))
        if isinstance(layer, nn.GRU):
            (r, z, n), (u_r, u_z, u_n) = (v.reshape(3, -1) for v in (input_part, own["weight_hh"] @ h + own["bias_hh"]))
            r, z = sigma(r + u_r), sigma(z + u_z)
            n = np.tanh(n + r * u_n)
            h = (1 - z) * n + z * h
            step = {"reset": r, "update": z, "candidate": n, "hidden": h}
        else:
            m = h
            if isinstance(layer, MultiplicativeLSTM):
                m = (own["weight_im"] @ x_t) * (own["weight_hm"] @ h)
            blocks = (input_part + own["weight_hh"] @ m + own.get("bias_hh", 0)).reshape(-1, HIDDEN)
            p_i, p_f, p_o = own.get("peepholes", np.zeros((3, HIDDEN)))
            if isinstance(layer, CoupledLSTM):
                f, g, o = blocks
                f = sigma(f)
                i = 1 - f
            else:
                i, f, g, o = blocks
                i, f = sigma(i + p_i * c), sigma(f + p_f * c)
            c = f * c + i * np.tanh(g)
            o = sigma(o + p_o * c)
            h = o * np.tanh(c)
            step = {"forget": f, "input": i, "candidate": np.tanh(g), "output": o, "cell": c, "hidden": h}
        for name, value in step.items():
            values.setdefault(name, []).append(value)
    return {name: np.stack(steps) for name, steps in values.items()}


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, PeepholeLSTM, CoupledLSTM, MultiplicativeLSTM, ConvLSTM])
@torch.inference_mode()
def test_gates_and_states_satisfy_the_equations(kind):
    layer = random_layer(kind, **({"window": 1} if kind is ConvLSTM else {}))
    x = torch.randn(STEPS, 1, INPUT)
    recorded, expected = record_cell(layer, x), equations(layer, x)
    assert recorded.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(recorded[name].numpy(), values, rtol=0, atol=1e-5, err_msg=name)


@torch.inference_mode()
def test_the_states_of_an_lstm_equal_those_of_torchs_cell():
    layer, cell = random_layer(nn.LSTM), nn.LSTMCell(INPUT, HIDDEN)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = torch.randn(STEPS, 1, INPUT)
    recorded, state = record_cell(layer, x), None
    for step in range(STEPS):
        state = cell(x[step], state)
        for name, expected in zip(("hidden", "cell"), state, strict=True):
            torch.testing.assert_close(recorded[name][step], expected[0], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_each_place_of_a_convolutional_window_has_its_own_cell_state():
    layer = random_layer(ConvLSTM, window=4)
    recorded = record_cell(layer, torch.randn(STEPS, 1, INPUT))  # the last window is not full
    assert {len(values) for values in recorded.values()} == {STEPS}
    before = torch.cat([torch.zeros(4, HIDDEN), recorded["cell"][:-4]])
    cell = recorded["forget"] * before + recorded["input"] * recorded["candidate"]
    torch.testing.assert_close(recorded["cell"], cell, rtol=0, atol=1e-6)
    torch.testing.assert_close(recorded["hidden"], recorded["output"] * cell.tanh(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (2, True)])
@pytest.mark.parametrize("name", ENCODERS)
@torch.inference_mode()
def test_the_hidden_states_equal_the_encoders_output_in_each_direction(name, layers, bidirectional):
    options = {"conv_lstm": {"window": 4}, "transformer": {"num_heads": 2}}
    torch.manual_seed(0)
    encoder = ENCODERS[name](6, 8, layers, bidirectional, 0.5, **options.get(name, {})).eval()
    x = torch.randn(150, 1, 6)
    expected = encoder(x, torch.tensor([150]))
    states, recorded = trace_encoder(encoder, x)
    assert torch.equal(states, expected)
    assert list(recorded) == (
        ["all at once"] if name == "transformer" else ["forward", "backward"] if bidirectional else ["forward"]
    )
    hidden = torch.cat([values["hidden"] for values in recorded.values()], dim=-1)
    torch.testing.assert_close(hidden, expected[:, 0], rtol=0, atol=1e-5)
    assert not any(layer._forward_pre_hooks for layer in encoder.modules()), "no hook is left"


@torch.inference_mode()
def test_a_cell_without_named_gates_yields_its_hidden_state():
    class Unknown(CellLayer):
        gates, num_states = 1, 1

        def step(self, projected: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (torch.tanh(projected + state[0] @ self.weight_hh.t()),)

    assert list(record_cell(random_layer(Unknown), torch.randn(STEPS, 1, INPUT))) == ["hidden"]
