"""What `auto` in the trainer's parameters comes to on this machine, and under torchrun or SLURM."""

import os
import platform
from pathlib import Path

import torch

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import TrainerParams


def resolve_precision(params: TrainerParams) -> str:
    """`auto` becomes bf16-mixed where the device computes in bfloat16, else 32-true."""
    if params.precision != "auto":
        return params.precision
    if torch.cuda.is_available() and params.accelerator != "cpu":
        return "bf16-mixed" if torch.cuda.is_bf16_supported() else "32-true"
    return "bf16-mixed" if torch.cpu.get_capabilities().get("avx512_bf16") else "32-true"


def machine(params: TrainerParams) -> str:
    """What computes, as a report names it: the GPU, or the processor and how many of its cores."""
    if gpus(params):
        return torch.cuda.get_device_name(0)
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{cores()} cores of {name}"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_device(params: TrainerParams) -> TrainerParams:
    """The same for a training that shares the machine with others like it."""
    return params.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})


def gpus(params: TrainerParams) -> list[str]:
    """The CUDA devices that may be used, as CUDA_VISIBLE_DEVICES names them.

    Raises:
        UserError: params.yaml names one that is not there.
    """
    if params.accelerator in ("cpu", "mps") or not torch.cuda.device_count():
        return []
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = named.split(",") if named else [str(index) for index in range(torch.cuda.device_count())]
    if isinstance(params.devices, list):
        if max(params.devices) >= len(visible):
            raise UserError(f"params.yaml: trainer.devices: {params.devices}, but GPUs are 0 to {len(visible) - 1}")
        return [visible[index] for index in params.devices]
    return visible[: params.devices] if isinstance(params.devices, int) else visible


def resolve_nodes(params: TrainerParams) -> int:
    """`auto` becomes the number of machines that torchrun or SLURM started the processes on, else 1."""
    if params.num_nodes != "auto":
        return params.num_nodes
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["WORLD_SIZE"]) // int(os.environ["LOCAL_WORLD_SIZE"])
    if "SLURM_NTASKS" in os.environ:
        return int(os.environ.get("SLURM_NNODES", 1))
    return 1


def resolve_devices(params: TrainerParams) -> int | str | list[int]:
    """`auto` becomes the processes that torchrun or SLURM started on each machine; else Lightning decides."""
    if params.devices != "auto":
        return params.devices
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["LOCAL_WORLD_SIZE"])
    if "SLURM_NTASKS" in os.environ:
        return int(os.environ["SLURM_NTASKS"]) // resolve_nodes(params)
    return "auto"
