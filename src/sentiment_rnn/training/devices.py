"""Resolves `auto` in the trainer's parameters: on one machine, under torchrun, under SLURM."""

import os
import platform
from pathlib import Path

import torch

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import TrainerParams

MIN_BATCH_PER_GPU = 32  # smaller batches are dominated by kernel launches: more GPUs would be slower


def resolve_precision(params: TrainerParams) -> str:
    """Resolve `auto`: bf16-mixed on a CPU with bfloat16 units, else 32-true.

    Raises:
        UserError: bf16-mixed on CUDA. There autocast runs cuDNN's recurrent layers in float16 whatever its dtype
            (PyTorch's AutocastRNN.cpp), without loss scaling.
    """
    cuda = torch.cuda.is_available() and params.accelerator not in ("cpu", "mps")
    if cuda and params.precision == "bf16-mixed":
        raise UserError(
            "params.yaml: trainer.precision: bf16-mixed on CUDA would run cuDNN's recurrent layers in float16 without "
            "loss scaling: choose auto or 32-true, which uses TF32"
        )
    if params.precision != "auto":
        return params.precision
    if cuda:
        return "32-true"
    return "bf16-mixed" if torch.cpu.get_capabilities().get("avx512_bf16") else "32-true"


def inference_device(params: TrainerParams | None = None) -> torch.device:
    """The device for predictions: a GPU if there is one that may be used, else the CPU."""
    cuda = torch.cuda.is_available() and (params is None or params.accelerator not in ("cpu", "mps"))
    return torch.device("cuda" if cuda else "cpu")


def machine(params: TrainerParams) -> str:
    """The device's name in reports: the GPU, or the processor and the number of its cores."""
    if gpus(params):
        return torch.cuda.get_device_name(0)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        name = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        name = platform.processor() or platform.machine()
    return f"{cores()} core{'s' * (cores() > 1)} of {name}"


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def one_device(params: TrainerParams) -> TrainerParams:
    """The parameters for a process that sees one device only, such as a worker of a search."""
    return params.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})


def gpus(params: TrainerParams) -> list[str]:
    """The CUDA devices that may be used, as CUDA_VISIBLE_DEVICES names them.

    Raises:
        UserError: params.yaml names a device that does not exist.
    """
    if params.accelerator in ("cpu", "mps") or not torch.cuda.device_count():
        return []
    variable = os.environ.get("CUDA_VISIBLE_DEVICES")
    visible = variable.split(",") if variable else [str(index) for index in range(torch.cuda.device_count())]
    if isinstance(params.devices, list):
        if max(params.devices) >= len(visible):
            raise UserError(f"params.yaml: trainer.devices: {params.devices}, but GPUs are 0 to {len(visible) - 1}")
        return [visible[index] for index in params.devices]
    return visible[: params.devices] if isinstance(params.devices, int) else visible


def resolve_nodes(params: TrainerParams) -> int:
    """Resolve `auto`: the number of machines of the torchrun or SLURM job, else 1."""
    if params.num_nodes != "auto":
        return params.num_nodes
    if "TORCHELASTIC_RUN_ID" in os.environ:
        return int(os.environ["WORLD_SIZE"]) // int(os.environ["LOCAL_WORLD_SIZE"])
    if "SLURM_NTASKS" in os.environ:
        return int(os.environ.get("SLURM_NNODES", 1))
    return 1


def resolve_devices(params: TrainerParams, batch_size: int) -> int | str | list[int]:
    """Resolve `auto`: the processes per machine of the torchrun or SLURM job, else a number of GPUs.

    That is the largest number that divides the batch, with at least `MIN_BATCH_PER_GPU` reviews per GPU.

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
    available = len(gpus(params))
    numbers = [n for n in range(1, available + 1) if batch_size % n == 0 and batch_size // n >= MIN_BATCH_PER_GPU]
    return max(numbers, default=1) if available else "auto"
