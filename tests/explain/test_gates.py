"""Gates and states as they are seen, against the equations in numpy, torch's own cells and the fused kernels."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from sentiment_rnn.explain.gates import inside, look
from sentiment_rnn.models import ENCODERS
from sentiment_rnn.models.cells import CellLayer, ConvLSTM, CoupledLSTM, MultiplicativeLSTM, PeepholeLSTM

STEPS, INPUT, HIDDEN = 11, 4, 5


def sigma(x: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-x))


def made(kind: type[nn.Module], **options: int) -> nn.Module:
    """A layer whose every weight is drawn, peepholes and biases too, so that no two gates are alike."""
    torch.manual_seed(3)
    layer = kind(INPUT, HIDDEN, **options)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.normal_(std=0.7)
    return layer


def equations(layer: nn.Module, x: Tensor) -> dict[str, np.ndarray]:
    """What a cell's docstring says, in float64: each `(T, H)`, of one sequence `(T, 1, F)`."""
    own = {name.removesuffix("_l0"): value.detach().double().numpy() for name, value in layer.named_parameters()}
    if isinstance(layer, ConvLSTM):  # a window of one token: of each kernel the middle alone is used
        own = {name: value[..., value.shape[-1] // 2] if value.ndim == 3 else value for name, value in own.items()}
    seen: dict[str, list[np.ndarray]] = {}
    h = c = np.zeros(HIDDEN)
    for given in x[:, 0].double().numpy():
        of_input = own["weight_ih"] @ given + own.get("bias", own.get("bias_ih", 0))
        if isinstance(layer, nn.GRU):
            (r, z, n), (u_r, u_z, u_n) = (v.reshape(3, -1) for v in (of_input, own["weight_hh"] @ h + own["bias_hh"]))
            r, z = sigma(r + u_r), sigma(z + u_z)
            n = np.tanh(n + r * u_n)
            h = (1 - z) * n + z * h
            step = {"reset": r, "update": z, "candidate": n, "hidden": h}
        else:
            m = h
            if isinstance(layer, MultiplicativeLSTM):
                m = (own["weight_im"] @ given) * (own["weight_hm"] @ h)
            blocks = (of_input + own["weight_hh"] @ m + own.get("bias_hh", 0)).reshape(-1, HIDDEN)
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
            seen.setdefault(name, []).append(value)
    return {name: np.stack(values) for name, values in seen.items()}


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, PeepholeLSTM, CoupledLSTM, MultiplicativeLSTM, ConvLSTM])
@torch.inference_mode()
def test_gates_and_states_are_what_the_equations_say(kind):
    layer = made(kind, **({"window": 1} if kind is ConvLSTM else {}))
    x = torch.randn(STEPS, 1, INPUT)
    seen, expected = inside(layer, x), equations(layer, x)
    assert seen.keys() == expected.keys()
    for name, values in expected.items():
        np.testing.assert_allclose(seen[name].numpy(), values, rtol=0, atol=1e-5, err_msg=name)


@torch.inference_mode()
def test_the_states_of_an_lstm_are_those_of_torchs_cell():
    layer, cell = made(nn.LSTM), nn.LSTMCell(INPUT, HIDDEN)
    cell.load_state_dict({name.removesuffix("_l0"): value for name, value in layer.state_dict().items()})
    x = torch.randn(STEPS, 1, INPUT)
    seen, state = inside(layer, x), None
    for step in range(STEPS):
        state = cell(x[step], state)
        for name, expected in zip(("hidden", "cell"), state, strict=True):
            torch.testing.assert_close(seen[name][step], expected[0], rtol=0, atol=1e-5)


@torch.inference_mode()
def test_in_a_window_of_a_convolution_each_place_keeps_its_own_cell_state():
    layer = made(ConvLSTM, window=4)
    seen = inside(layer, torch.randn(STEPS, 1, INPUT))  # the last window is not full
    assert {len(values) for values in seen.values()} == {STEPS}
    before = torch.cat([torch.zeros(4, HIDDEN), seen["cell"][:-4]])
    cell = seen["forget"] * before + seen["input"] * seen["candidate"]
    torch.testing.assert_close(seen["cell"], cell, rtol=0, atol=1e-6)
    torch.testing.assert_close(seen["hidden"], seen["output"] * cell.tanh(), rtol=0, atol=1e-6)


@pytest.mark.parametrize(("layers", "bidirectional"), [(1, False), (1, True), (2, True)])
@pytest.mark.parametrize("name", ENCODERS)
@torch.inference_mode()
def test_the_hidden_states_are_the_encoders_own_in_each_direction(name, layers, bidirectional):
    build, names = ENCODERS[name]
    options = {"window": 4, "spectral_radius": 0.9, "leak": 0.5, "input_scale": 1.0, "heads": 2}
    torch.manual_seed(0)
    encoder = build(6, 8, layers, bidirectional, 0.5, **{option: options[option] for option in names}).eval()
    x = torch.randn(150, 1, 6)
    expected = encoder(x, torch.tensor([150]))
    states, seen = look(encoder, x)
    assert torch.equal(states, expected)
    assert list(seen) == (
        ["all at once"] if name == "transformer" else ["forward", "backward"] if bidirectional else ["forward"]
    )
    hidden = torch.cat([values["hidden"] for values in seen.values()], dim=-1)
    torch.testing.assert_close(hidden, expected[:, 0], rtol=0, atol=1e-5)
    assert not any(layer._forward_pre_hooks for layer in encoder.modules()), "the encoder is left as it was"


@torch.inference_mode()
def test_of_a_cell_whose_gates_have_no_names_here_the_hidden_state_is_seen():
    class Unknown(CellLayer):
        gates, kept = 1, 1

        def step(self, projected: Tensor, state: tuple[Tensor, ...]) -> tuple[Tensor, ...]:
            return (torch.tanh(projected + state[0] @ self.weight_hh.t()),)

    assert list(inside(made(Unknown), torch.randn(STEPS, 1, INPUT))) == ["hidden"]
