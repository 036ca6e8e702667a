"""Gradient norms by position, against finite differences and theory."""

from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Generator

from sentiment_rnn import params
from sentiment_rnn.studies.claims.gradients import gradient_norms
from sentiment_rnn.studies.claims.network import Network
from sentiment_rnn.studies.claims.tasks import Sequences, make_task


def network_and_sequences(chosen: params.Params, cell: str, tmp_path: Path, count: int) -> tuple[Network, Sequences]:
    torch.manual_seed(7)
    task = make_task("adding", 12, tmp_path, 0)
    model = params.updated(chosen.models[cell], {"hidden_size": 16, "initializer": "keras"})
    return Network(task, model).double(), task.sample(count, Generator().manual_seed(1), "held-out")


def test_norms_are_those_of_finite_differences(chosen: params.Params, tmp_path: Path) -> None:
    network, sequences = network_and_sequences(chosen, "lstm", tmp_path, 1)
    norms = gradient_norms(network, sequences)
    assert list(norms) == [0, 1, 2, 5, 10]
    inputs = sequences.inputs.double()
    with torch.no_grad():
        for steps, norm in norms.items():
            slopes = []
            for feature in range(2):
                perturbed = inputs.clone()
                perturbed[11 - steps, 0, feature] += 1e-6
                difference = network.predict(perturbed, sequences.lengths) - network.predict(inputs, sequences.lengths)
                slopes.append(float(difference) / 1e-6)
            assert norm == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


def test_without_recurrent_weights_no_gradient_flows_back(chosen: params.Params, tmp_path: Path) -> None:
    network, sequences = network_and_sequences(chosen, "rnn", tmp_path, 4)
    with torch.no_grad():
        network.encoder.layers[0][0].weight_hh_l0.zero_()
    norms = gradient_norms(network, sequences)
    assert norms.pop(0) > 1e-6
    assert max(norms.values()) < 1e-30


def test_a_linear_rnn_multiplies_the_gradient_by_its_recurrent_matrix(chosen: params.Params, tmp_path: Path) -> None:
    network, sequences = network_and_sequences(chosen, "rnn", tmp_path, 8)
    layer = network.encoder.layers[0][0]
    with torch.no_grad():
        layer.weight_ih_l0.mul_(1e-3)  # tanh is linear at such small states
        layer.weight_hh_l0.copy_(0.8 * torch.eye(16))
    norms = gradient_norms(network, sequences)
    assert norms[10] / norms[0] == pytest.approx(0.8**10, rel=1e-3)
