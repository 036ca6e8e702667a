"""What `auto` comes to: alone, under torchrun, under SLURM, with GPUs."""

from pathlib import Path

import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.training.devices import gpus, resolve_devices, resolve_nodes, resolve_precision

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
def test_the_shape_of_the_job_is_taken_from_its_launcher(monkeypatch, environment, nodes, devices):
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert (resolve_nodes(AUTO), resolve_devices(AUTO)) == (nodes, devices)
    assert (resolve_nodes(changed(num_nodes=3)), resolve_devices(changed(devices=4))) == (3, 4), "what is named counts"


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
def test_the_gpus_that_a_search_may_use(monkeypatch, values, visible, expected):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    if visible:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert gpus(changed(**values)) == expected


def test_a_gpu_that_is_not_there(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 2)
    with pytest.raises(UserError, match="GPUs are 0 to 1"):
        gpus(changed(devices=[0, 2]))


def test_without_a_gpu_there_is_none(monkeypatch):
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 0)
    assert gpus(AUTO) == []


@pytest.mark.parametrize(("bf16", "expected"), [(True, "bf16-mixed"), (False, "32-true")])
def test_bfloat16_is_used_where_the_device_computes_in_it(monkeypatch, bf16, expected):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: {"avx512_bf16": bf16})
    assert resolve_precision(AUTO) == expected
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda: bf16)
    assert resolve_precision(AUTO) == expected
    for named in ("32-true", "bf16-mixed", "64-true"):
        assert resolve_precision(changed(precision=named)) == named


@pytest.mark.skipif(not Path("/proc/cpuinfo").exists(), reason="needs Linux's list of the processor's features")
def test_auto_precision_on_the_cpu_is_bfloat16_where_the_processor_computes_in_it():
    expected = "bf16-mixed" if "avx512_bf16" in Path("/proc/cpuinfo").read_text().split() else "32-true"
    assert resolve_precision(changed(accelerator="cpu")) == expected
