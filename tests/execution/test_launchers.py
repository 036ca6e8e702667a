"""Variables of torchrun, SLURM and MPI that are left over, incomplete or contradictory; and those of each launcher."""

import os
import re
import subprocess
import sys

import pytest
from project import run

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.launchers import check_launcher, forget_launchers

TORCHRUN = {
    "TORCHELASTIC_RUN_ID": "none", "RANK": "3", "LOCAL_RANK": "1", "GROUP_RANK": "1", "WORLD_SIZE": "4",
    "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500",
}  # fmt: skip
SRUN = {
    "SLURM_STEP_ID": "0", "SLURM_NTASKS": "4", "SLURM_NNODES": "2", "SLURM_NTASKS_PER_NODE": "2", "SLURM_PROCID": "3",
}  # fmt: skip
LEFT_OVER = [
    ({"RANK": "1"}, "RANK=1, but no launcher started this process"),
    ({"RANK": "1", "WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1"}, "RANK=1, but no launcher"),
    ({"LOCAL_RANK": "2"}, "LOCAL_RANK=2, but no launcher"),
    ({"NODE_RANK": "1"}, "NODE_RANK=1, but no launcher"),
    ({"GROUP_RANK": "1"}, "GROUP_RANK=1, but no launcher"),
    ({"SLURM_PROCID": "1"}, "SLURM_PROCID=1, but no launcher"),
    ({"JSM_NAMESPACE_RANK": "1"}, "JSM_NAMESPACE_RANK=1, but no launcher"),
    ({"RANK": "one"}, "RANK=one should be a whole number"),
    ({"TORCHELASTIC_RUN_ID": "none"}, "TORCHELASTIC_RUN_ID is set and RANK is not"),
    ({"SLURM_NTASKS": "2"}, "SLURM_NTASKS=2, but srun did not start this process"),
    ({"SLURM_NTASKS": "1", "SLURM_NNODES": "2"}, "SLURM_NTASKS=1 do not divide among SLURM_NNODES=2"),
    (SRUN | {"SLURM_NTASKS": "3"}, "SLURM_NTASKS=3 do not divide among SLURM_NNODES=2"),
    ({"OMPI_COMM_WORLD_SIZE": "2"}, "OMPI_COMM_WORLD_SIZE=2: MPI cannot start the training"),
    ({"PMI_SIZE": "2"}, "PMI_SIZE=2: MPI cannot start the training"),
]


@pytest.fixture(autouse=True)
def _no_launcher(monkeypatch):
    with monkeypatch.context() as patched:
        patched.setattr(os, "environ", dict(os.environ))
        forget_launchers()
        yield


@pytest.mark.parametrize(("variables", "message"), LEFT_OVER)
def test_what_is_left_over_is_refused_with_a_cure(variables, message):
    os.environ.update(variables)
    with pytest.raises(UserError, match=re.escape(message)) as refused:
        check_launcher()
    (cure,) = re.findall(r"`(unset \w+)`", str(refused.value))
    shell = ["bash", "-c", f"{cure} && env -0"]
    left = subprocess.run(shell, env=os.environ, capture_output=True, text=True, check=True)
    os.environ.clear()
    os.environ.update(pair.split("=", 1) for pair in left.stdout.split("\0") if pair)
    check_launcher()


@pytest.mark.parametrize(
    "variables",
    [
        {},
        TORCHRUN,
        TORCHRUN | SRUN | {"OMPI_COMM_WORLD_SIZE": "2"},  # torchrun was itself started by another launcher
        SRUN | {"PMI_SIZE": "4"},
        {"SLURM_NTASKS": "1", "SLURM_NNODES": "1", "SLURM_PROCID": "0"},  # a job of one task, without srun
        {"NODE_RANK": "1", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29500"},  # Lightning's, typed on a second node
        {"NODE_RANK": "0", "LOCAL_RANK": "1", "WORLD_SIZE": "2"},  # Lightning starts it
        {"RANK": "0", "LOCAL_RANK": "", "SLURM_NTASKS": ""},
    ],
)
def test_what_a_launcher_sets_is_accepted(variables):
    os.environ.update(variables)
    check_launcher()


def test_srun_without_tasks_per_node_is_refused():
    """Lightning requires them."""
    os.environ.update({name: value for name, value in SRUN.items() if name != "SLURM_NTASKS_PER_NODE"})
    with pytest.raises(UserError, match="give --ntasks-per-node to sbatch"):
        check_launcher()


@pytest.mark.parametrize("variables", [{"RANK": "1"}, {"SLURM_NTASKS": "2"}])
def test_a_training_is_refused_before_it_begins_and_other_stages_are_not(tmp_path, variables):
    refused = run(tmp_path, sys.executable, "-m", "pipeline.train", "bilstm", **variables)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert re.fullmatch(r"error: .*`unset \w+`\n", refused.stderr), refused.stderr
    assert run(tmp_path, sys.executable, "-m", "pipeline.search", "--help", **variables).returncode == 0
