"""Resolves `auto` in the trainer's parameters on this machine, and under torchrun or SLURM."""

import os
import platform
from pathlib import Path

import torch

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import TrainerParams

MIN_BATCH_PER_GPU = 32  # below it a step is launch overhead, and more GPUs make it slower


def resolve_precision(params: TrainerParams) -> str:
    """`auto` becomes bf16-mixed on a CPU that computes in bfloat16, else 32-true; on CUDA that is TF32.

    Raises:
        UserError: bf16-mixed on CUDA. Autocast runs cuDNN's recurrent layers in float16 whatever dtype is named
            (PyTorch's AutocastRNN.cpp), and without loss scaling.
    """
    cuda = torch.cuda.is_available() and params.accelerator not in ("cpu", "mps")
    if cuda and params.precision == "bf16-mixed":
        raise UserError(
            "params.yaml: trainer.precision: bf16-mixed on CUDA would run cuDNN's recurrent layers in float16 without "
            "loss scaling: auto or 32-true (which is TF32)"
        )
    if params.precision != "auto":
        return params.precision
    if cuda:
        return "32-true"
    return "bf16-mixed" if torch.cpu.get_capabilities().get("avx512_bf16") else "32-true"


def inference_device(params: TrainerParams | None = None) -> torch.device:
    """Where a trained model makes many predictions: a GPU if there is one that may be used, else the CPU."""
    cuda = torch.cuda.is_available() and (params is None or params.accelerator not in ("cpu", "mps"))
    return torch.device("cuda" if cuda else "cpu")


def machine(params: TrainerParams) -> str:
    """The device, as a report names it: the GPU, or the processor and how many of its cores."""
    if gpus(params):
        return torch.cuda.get_device_name(0)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{cores()} cores of {name}"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_device(params: TrainerParams) -> TrainerParams:
    """The parameters of a process that has one device of its own, one of several side by side."""
    return params.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})


def gpus(params: TrainerParams) -> list[str]:
    """The CUDA devices that may be used, as CUDA_VISIBLE_DEVICES names them.

    Raises:
        UserError: params.yaml names one that does not exist.
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


def resolve_devices(params: TrainerParams, batch_size: int) -> int | str | list[int]:
    """`auto` becomes the processes that torchrun or SLURM started on each machine, else a number of GPUs.

    Of several GPUs the most are taken that share the batch equally, at least `MIN_BATCH_PER_GPU` reviews each.

    Args:
        params: Trainer's.
        batch_size: reviews per step, over all devices.
    """
    if params.devices != "auto":
        return params.devices
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["LOCAL_WORLD_SIZE"])
    if "SLURM_NTASKS" in os.environ:
        return int(os.environ["SLURM_NTASKS"]) // resolve_nodes(params)
    found = len(gpus(params))
    fitting = [n for n in range(1, found + 1) if batch_size % n == 0 and batch_size // n >= MIN_BATCH_PER_GPU]
    return max(fitting, default=1) if found else "auto"
