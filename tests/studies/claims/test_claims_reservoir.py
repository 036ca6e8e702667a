"""Memory capacity of networks whose capacity is known."""

import pytest
import torch

from sentiment_rnn.models.cells import EchoState
from sentiment_rnn.studies.claims.reservoir import memory_capacity


def cell(units: int, radius: float) -> EchoState:
    torch.manual_seed(3)
    return EchoState(1, units, spectral_radius=radius, leak_rate=1.0, input_scaling=0.01).double()


def test_a_delay_line_remembers_one_step_per_unit() -> None:
    line = cell(10, 1.0)
    line.weight_hh.copy_(torch.diag(torch.ones(9), -1))
    line.weight_ih.zero_()
    line.weight_ih[0] = 0.01  # so small that tanh is linear
    inputs = torch.rand(3_000, dtype=torch.float64) * 2 - 1
    assert memory_capacity(line, inputs) == pytest.approx(9, abs=0.2)  # the first unit has the input of this step


def test_the_capacity_grows_towards_a_spectral_radius_of_one() -> None:
    inputs = torch.rand(3_000, dtype=torch.float64) * 2 - 1
    low, high = (memory_capacity(cell(40, radius), inputs) for radius in (0.2, 0.95))
    assert 2 * low < high < 40
