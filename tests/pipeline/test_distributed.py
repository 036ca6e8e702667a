"""DDP over gloo with two processes on the CPU, on one node or two: one run, the arithmetic of one process, resuming."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from postgresql import free_port
from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn.training import distillation
from sentiment_rnn.training.ranks import is_rank_zero
from sentiment_rnn.training.train import run_fits

# rank 1 does not see the checkpoints, as with the outdated cache of a network file system; both ranks can be killed in
# the second epoch of the second seed
STALE_VIEW = """
import os, signal
from pathlib import Path
from sentiment_rnn import params
from sentiment_rnn.training.callbacks import History
from sentiment_rnn.training.train import train

exists, on_train_epoch_end = Path.exists, History.on_train_epoch_end
fits = []


def end_epoch(self, trainer, module):
    on_train_epoch_end(self, trainer, module)
    if trainer.current_epoch == 1 and self.name == "student":
        fits.append(self)
        if len(fits) == 2 and trainer.is_global_zero and "KILL" in os.environ:
            os.killpg(0, signal.SIGKILL)


History.on_train_epoch_end = end_epoch
if os.environ.get("LOCAL_RANK") == "1":
    Path.exists = lambda path: path.suffix != ".ckpt" and path.name != "history.json" and exists(path)
train("student", params.load())
"""


def environment() -> dict[str, str]:
    inherited = {key: os.environ[key] for key in os.environ if not key.startswith("MLFLOW_")}
    return inherited | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}


def run(folder: Path, *command: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment() | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
        start_new_session=True,
    )


def runs_of(folder: Path) -> list:
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    return client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])


@pytest.fixture
def two_processes(tokens, tmp_path) -> Path:
    values = shrunk_values()
    values["trainer"] |= {"accelerator": "cpu", "devices": 2, "precision": "32-true"}
    # without dropout, and with all batches divisible by 2, the arithmetic equals that of one process but for rounding
    values["model"] |= {
        "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0, "padding": "pre", "word_vectors": False,
        "learning_rate": 0.02,
    }  # fmt: skip
    write_params(values, tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tokens").symlink_to(tokens)
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches/bilstm.json").write_text("{}")
    return tmp_path


def change(folder: Path, **sections: dict) -> None:
    values = YAML(typ="safe").load((folder / "params.yaml").read_text())
    for section, changes in sections.items():
        values[section] |= changes
    write_params(values, folder)


def assert_equals_one_process(folder: Path, tokens: Path, name: str) -> None:
    """Epoch by epoch the validation metrics of one process with the same batch size."""
    chosen = params.load(folder / "params.yaml")
    alone = chosen.trainer.model_copy(update={"accelerator": "cpu", "devices": 1, "num_nodes": 1})
    model = chosen.model_of(name)
    labels = distillation.load(name, model, folder / "data/pseudo_labels" / name, tokens)
    expected = run_fits(
        "alone", model, alone, 7, tokens=tokens, init_state=None, pseudo_labels=labels, checkpoints=None,
        logger=False,
    ).trained  # fmt: skip
    assert expected is not None
    history = json.loads((folder / "models" / chosen.path_of(name) / "seed-7/history.json").read_text())
    assert len(history) == len(expected.history) == 2
    for row, other in zip(history, expected.history, strict=True):
        for key in ("train_loss", "train_accuracy", "validation_loss", "validation_accuracy"):
            assert row[key] == pytest.approx(other[key], abs=1e-4), key


def test_two_processes_resume_together_whatever_each_sees(two_processes, tokens):
    """Two seeds of distillation, fit and refit, killed in the last but one fit: every rank follows rank zero."""
    student = {"cell": "lstm", "bidirectional": True, "hidden_size": 6, "seeds": [7, 8]}
    change(two_processes, models={"student": student | {"teachers": ["nb_logistic"], "refit": True}})
    distillation.save(np.linspace(0.1, 0.9, 20), tokens, two_processes / "data/pseudo_labels/student")
    (two_processes / "train.py").write_text(STALE_VIEW)
    killed = run(two_processes, "train.py", KILL="1")
    assert killed.returncode == -signal.SIGKILL, killed.stderr
    resumed = run(two_processes, "train.py")
    assert resumed.returncode == 0, resumed.stderr
    assert "student: epoch 1/2" not in resumed.stdout
    for words, count in (("distilled from nb_logistic: epoch", 2), ("student: epoch 2/2", 3), ("validation: epoch", 4)):
        assert (killed.stdout + resumed.stdout).count(words) == count, "each epoch is printed by one process"

    found = runs_of(two_processes)
    assert sorted(run.data.tags["seed"] for run in found) == ["7", "8"]
    assert {run.info.status for run in found} == {"FINISHED"}
    seeds = json.loads((two_processes / "reports/train/distilled/student.json").read_text())["seeds"]
    assert [seed["seed"] for seed in seeds] == [7, 8]
    assert all(seed["distilled_validation_loss"] > 0 for seed in seeds)
    assert_equals_one_process(two_processes, tokens, "student")


def torchrun(node: int, port: int) -> tuple[list[str], dict[str, str]]:
    nodes = ["--nnodes", "2", "--node-rank", str(node), "--nproc-per-node", "1"]
    master = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    return ["-m", "torch.distributed.run", *nodes, *master, "-m", "pipeline.train", "bilstm"], {}


def srun(node: int, port: int) -> tuple[list[str], dict[str, str]]:
    """The variables that SLURM sets for each task of `srun --nodes 2 --ntasks-per-node 1`."""
    return ["-m", "pipeline.train", "bilstm"], {
        "SLURM_JOB_ID": "1", "SLURM_STEP_ID": "0", "SLURM_JOB_NAME": "train", "SLURM_JOB_NODELIST": "127.0.0.1",
        "SLURM_NODELIST": "127.0.0.1", "SLURM_NNODES": "2", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_PROCID": str(node), "SLURM_LOCALID": "0", "SLURM_NODEID": str(node), "MASTER_PORT": str(port),
    }  # fmt: skip


def lightning(node: int, port: int) -> tuple[list[str], dict[str, str]]:
    """Lightning's own variables, with which each node is started by hand."""
    variables = {"NODE_RANK": str(node), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    return ["-m", "pipeline.train", "bilstm"], variables


@pytest.mark.parametrize("launcher", [torchrun, srun, pytest.param(lightning, marks=pytest.mark.soak)])
def test_two_nodes_train_one_model_in_one_run(two_processes, tokens, launcher):
    """Two launchers on the loopback interface with one process each."""
    shape = {"devices": 1, "num_nodes": 2} if launcher is lightning else {"devices": "auto", "num_nodes": "auto"}
    change(two_processes, trainer=shape)
    port = free_port()
    nodes = []
    for node in (0, 1):
        command, variables = launcher(node, port)
        nodes.append(
            subprocess.Popen(
                [sys.executable, *command],
                cwd=two_processes,
                env=environment() | variables,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
            )
        )
    outputs = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(outputs)
    assert "epoch 2/2" in outputs[0]
    assert "epoch" not in outputs[1]
    (only,) = runs_of(two_processes)
    assert only.info.status == "FINISHED"
    assert_equals_one_process(two_processes, tokens, "bilstm")


@pytest.mark.parametrize("variable", ["NODE_RANK", "GROUP_RANK"])
def test_the_first_process_of_a_further_node_is_not_rank_zero(monkeypatch, variable):
    assert is_rank_zero()
    monkeypatch.setenv(variable, "0")
    assert is_rank_zero()
    monkeypatch.setenv(variable, "1")
    assert not is_rank_zero()
