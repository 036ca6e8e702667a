"""What a worker sees of the devices."""

import json
import os
from pathlib import Path

import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.studies.experiment import CachedExperiment, Context
from sentiment_rnn.studies.pool import run_all
from sentiment_rnn.training.devices import gpus, machine, resolve_devices

PARAMS = params.Params.model_validate(shrunk_values())


class Probe(CachedExperiment):
    """Returns what its process resolves, on a machine whose GPUs are those that CUDA_VISIBLE_DEVICES names."""

    def run(self, context: Context) -> str:
        visible = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
        torch.cuda.device_count = lambda: len(visible)
        torch.cuda.get_device_name = lambda *_: "a GPU"
        devices = resolve_devices(context.trainer, self.model.batch_size)
        slurm = [name for name in os.environ if name.startswith("SLURM")]
        return json.dumps([gpus(context.trainer), devices, machine(context.trainer), slurm])


def test_a_worker_has_its_gpu_as_its_only_device(tokens: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`trainer.devices: [2]` of three GPUs: in the worker that GPU has the index 0."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    trainer = PARAMS.trainer.model_copy(update={"accelerator": "gpu", "devices": [2]})
    probe = Probe(name="probe", model=PARAMS.model_of("lstm"), seed=1)
    ((_, result),) = run_all([probe], Context(trainer, tokens, tmp_path, "claims"), "auto")
    assert json.loads(result) == [["2"], 1, "a GPU", []]
