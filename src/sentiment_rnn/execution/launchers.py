"""The environment variables by which torchrun, SLURM and MPI tell a process its rank."""

import os

from sentiment_rnn.errors import UserError

PREFIXES = ("SLURM_", "TORCHELASTIC_", "OMPI_COMM_WORLD_", "PMI_")  # not OMPI_MCA_, which configures MPI itself
TORCHRUN = (
    "RANK", "LOCAL_RANK", "GROUP_RANK", "WORLD_SIZE", "LOCAL_WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT",
)  # fmt: skip
# From each of these Lightning takes this process's rank or node, whoever set it; what its launcher sets beside it
COMPANIONS = {
    "RANK": "TORCHELASTIC_RUN_ID",
    "LOCAL_RANK": "WORLD_SIZE",
    "GROUP_RANK": "MASTER_ADDR",
    "NODE_RANK": "MASTER_ADDR",
    "SLURM_PROCID": "SLURM_STEP_ID",
    "JSM_NAMESPACE_RANK": "LSB_JOBID",
}


def forget_launchers() -> None:
    """Remove the variables of SLURM, torchrun and MPI: Lightning would take a worker for a rank of one training."""
    for name in list(os.environ):
        if name.startswith(PREFIXES) or name in (*TORCHRUN, "NODE_RANK"):
            del os.environ[name]


def check_launcher() -> None:
    """Refuse variables of a launcher that did not start this process.

    A process that takes itself for a further rank trains to the end and leaves the model to rank zero, which does not
    exist.

    Raises:
        UserError: they are left over, contradict one another, or are those of MPI's launcher.
    """
    for name, companion in COMPANIONS.items():
        if _number(name) and companion not in os.environ:
            raise UserError(f"{name}={os.environ[name]}, but no launcher started this process: `unset {name}`")
    if "TORCHELASTIC_RUN_ID" in os.environ:
        if missing := [name for name in TORCHRUN if name not in os.environ]:
            raise UserError(
                f"TORCHELASTIC_RUN_ID is set and {missing[0]} is not: start the training with torchrun, "
                "or `unset TORCHELASTIC_RUN_ID`"
            )
        return  # torchrun may itself run under SLURM or MPI
    tasks, nodes = _number("SLURM_NTASKS"), _number("SLURM_NNODES")
    if tasks > 1 and "SLURM_STEP_ID" not in os.environ:
        raise UserError(
            f"SLURM_NTASKS={tasks}, but srun did not start this process: start the training with "
            "cluster/train.sbatch, or `unset SLURM_NTASKS`"
        )
    if tasks and nodes and tasks % nodes:
        raise UserError(
            f"SLURM_NTASKS={tasks} do not divide among SLURM_NNODES={nodes}: give --ntasks-per-node to sbatch, "
            "or `unset SLURM_NTASKS`"
        )
    if tasks > 1 and "SLURM_NTASKS_PER_NODE" not in os.environ:
        raise UserError(f"SLURM_NTASKS={tasks} without SLURM_NTASKS_PER_NODE: give --ntasks-per-node to sbatch")
    for name in ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE"):
        if _number(name) > 1 and not tasks:
            raise UserError(
                f"{name}={os.environ[name]}: MPI cannot start the training: use torchrun, or `unset {name}`"
            )


def _number(name: str) -> int:
    """A variable's value; 0 if it is unset or empty."""
    value = os.environ.get(name) or "0"
    try:
        return int(value)
    except ValueError:
        raise UserError(f"{name}={value} should be a whole number: `unset {name}`") from None
