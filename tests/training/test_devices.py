"""Resolution of `auto`: on one machine, under torchrun, under SLURM, with GPUs."""

from pathlib import Path

import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.devices import gpus, one_device, resolve_devices, resolve_nodes, resolve_precision
from sentiment_rnn.training.fit import make_trainer

AUTO = params.Params.model_validate(shrunk_values()).trainer.model_copy(
    update={"accelerator": "auto", "devices": "auto", "num_nodes": "auto", "precision": "auto"}
)
TORCHRUN = {"TORCHELASTIC_RUN_ID": "1", "WORLD_SIZE": "16", "LOCAL_WORLD_SIZE": "8"}
SLURM = {"SLURM_NTASKS": "16", "SLURM_NNODES": "2"}


def changed(**values) -> params.TrainerParams:
    return AUTO.model_copy(update=values)


@pytest.fixture(autouse=True)
def alone(monkeypatch):
    for name in (*TORCHRUN, *SLURM, "CUDA_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize(("environment", "nodes", "devices"), [({}, 1, "auto"), (TORCHRUN, 2, 8), (SLURM, 2, 8)])
def test_nodes_and_devices_are_those_of_the_launcher(monkeypatch, environment, nodes, devices):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (resolve_nodes(AUTO), resolve_devices(AUTO, 64)) == (nodes, devices)
    named = changed(num_nodes=3, devices=4)
    assert (resolve_nodes(named), resolve_devices(named, 64)) == (3, 4)


@pytest.mark.parametrize(
    ("values", "visible", "expected"),
    [
        ({}, None, ["0", "1", "2"]),
        ({}, "4,6,7", ["4", "6", "7"]),
        ({"devices": 2}, "4,6,7", ["4", "6"]),
        ({"devices": [0, 2]}, "4,6,7", ["4", "7"]),
        ({"accelerator": "cpu"}, None, []),
    ],
)
def test_visible_gpus(monkeypatch, values, visible, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus(changed(**values)) == expected


def test_a_missing_gpu_is_refused(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="GPUs are 0 to 1"):
        gpus(changed(devices=[0, 2]))


@pytest.mark.parametrize(
    ("count", "batch_size", "expected"),
    [(0, 64, "auto"), (1, 64, 1), (2, 64, 2), (8, 64, 2), (8, 512, 8), (8, 16, 1), (3, 128, 2), (3, 97, 1)],
)
def test_auto_is_a_number_of_gpus_that_divides_the_batch(monkeypatch, count, batch_size, expected):
    """Each GPU has the same number of reviews, at least 32."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: count)
    assert resolve_devices(AUTO, batch_size) == expected


def test_a_process_with_one_device_uses_it_whatever_devices_the_job_names(monkeypatch):
    """A worker of a search sees one GPU, with the index 0."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "2")
    for devices in ([1], [0, 2], 8, "auto"):
        worker = one_device(changed(devices=devices, num_nodes=4, strategy="ddp"))
        assert (resolve_devices(worker, 64), resolve_nodes(worker), worker.strategy) == (1, 1, "auto")
        assert gpus(worker) == ["2"]


@pytest.mark.parametrize("accelerator", ["auto", "gpu", "cuda"])
def test_on_cuda_precision_is_float32_and_mixed_precision_is_refused(monkeypatch, accelerator):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert resolve_precision(changed(accelerator=accelerator)) == "32-true"
    assert resolve_precision(changed(accelerator=accelerator, precision="64-true")) == "64-true"
    with pytest.raises(UserError, match="float16 without loss scaling"):
        resolve_precision(changed(accelerator=accelerator, precision="bf16-mixed"))
    assert resolve_precision(changed(accelerator="cpu", precision="bf16-mixed")) == "bf16-mixed"


def test_float32_is_tf32_on_cuda(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    chosen = []
    monkeypatch.setattr(torch, "set_float32_matmul_precision", chosen.append)
    make_trainer(changed(accelerator="cpu", devices=1), 64, logger=False)
    assert not chosen
    make_trainer(changed(accelerator="cuda", devices=1), 64, logger=False)
    assert chosen == ["high"]


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux's list of the processor's features")
def test_auto_precision_on_a_cpu_with_bfloat16_units_is_bf16_mixed():
    expected = "bf16-mixed" if "avx512_bf16" in Path("/proc/cpuinfo").read_text().split() else "32-true"
    assert resolve_precision(changed(accelerator="cpu")) == expected
