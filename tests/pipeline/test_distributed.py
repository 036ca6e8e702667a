"""DDP over gloo, two processes on the CPU, on one node or two: one run, averaged gradients, one process's metrics."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from postgresql import free_port
from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn.training.fit import fit

# what each rank's weights and gradients are after every step, and which labels it saw
WATCHED = """
import hashlib, json, sys
from pathlib import Path
import pytorch_lightning as pl
from sentiment_rnn import params
from sentiment_rnn.training.fit import fit


def digest(tensors):
    return hashlib.sha256(b"".join(tensor.detach().numpy().tobytes() for tensor in tensors)).hexdigest()


class LeaseMonitor(pl.Callback):
    def __init__(self):
        self.steps = []

    def on_train_batch_end(self, trainer, module, outputs, batch, index):
        weights = list(module.parameters())
        ids = hashlib.sha256(batch.ids.numpy().tobytes()).hexdigest()
        self.steps.append([digest(weights), digest([weight.grad for weight in weights]), ids])

    def on_fit_end(self, trainer, module):
        Path(f"rank-{trainer.global_rank}.json").write_text(json.dumps(self.steps))


chosen = params.load()
fit("bilstm", chosen.model_of("bilstm"), chosen.trainer, 7, tokens="data/tokens", checkpoints=Path("work"),
    logger=False, callbacks=[LeaseMonitor()])
"""


def environment() -> dict[str, str]:
    kept = {key: os.environ[key] for key in os.environ if not key.startswith("MLFLOW_")}
    return kept | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done


@pytest.fixture
def two_processes(tokens, tmp_path) -> Path:
    values = shrunk_values()
    values["trainer"] |= {"accelerator": "cpu", "devices": 2, "precision": "32-true"}
    # without dropout two processes do the very arithmetic of one, but for the order of the sums
    values["model"] |= {"seeds": [7, 8], "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0}
    write_params(values, tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data/tokens").symlink_to(tokens)
    (tmp_path / "searches").mkdir()
    (tmp_path / "searches/bilstm.json").write_text("{}")
    return tmp_path


def test_two_processes_train_one_run_a_seed_like_one_process(two_processes, tokens):
    said = run(two_processes, "-m", "pipeline.train", "bilstm").stdout
    assert said.count("epoch 1/2") == 2, "each of the two seeds is told of by one process"

    client = MlflowClient(f"sqlite:///{two_processes}/mlruns/mlflow.db")
    runs = client.search_runs([client.get_experiment_by_name("sample").experiment_id])
    assert sorted(run.data.tags["seed"] for run in runs) == ["7", "8"]
    assert {run.info.status for run in runs} == {"FINISHED"}

    seeds = json.loads((two_processes / "reports/train/bilstm.json").read_text())["seeds"]
    assert [seed["seed"] for seed in seeds] == [7, 8]
    assert_like_one_process(two_processes, tokens)


def assert_like_one_process(folder: Path, tokens: Path) -> None:
    """Epoch for epoch the metrics of one process with the same global batch."""
    chosen = params.load(folder / "params.yaml")
    alone = chosen.trainer.model_copy(update={"accelerator": "cpu", "devices": 1, "num_nodes": 1})
    one = fit("alone", chosen.model_of("bilstm"), alone, 7, tokens=tokens, checkpoints=folder / "one", logger=False)
    assert one is not None
    several = json.loads((folder / "models/bilstm/seed-7/history.json").read_text())
    assert len(several) == len(one.history) == 2
    for row, expected in zip(several, one.history, strict=True):
        # reviews that cannot be shared out equally are left out: a few of 216
        assert row["validation_loss"] == pytest.approx(expected["validation_loss"], abs=2e-3)
        assert row["validation_accuracy"] == pytest.approx(expected["validation_accuracy"], abs=0.05)


def torchrun(node: int, port: int) -> tuple[list[str], dict[str, str]]:
    nodes = ["--nnodes", "2", "--node-rank", str(node), "--nproc-per-node", "1"]
    master = ["--master-addr", "127.0.0.1", "--master-port", str(port)]
    return ["-m", "torch.distributed.run", *nodes, *master, "-m", "pipeline.train", "bilstm"], {}


def srun(node: int, port: int) -> tuple[list[str], dict[str, str]]:
    """The variables that SLURM sets for each task of `srun --nodes 2 --ntasks-per-node 1`."""
    return ["-m", "pipeline.train", "bilstm"], {
        "SLURM_JOB_ID": "1", "SLURM_JOB_NAME": "train", "SLURM_JOB_NODELIST": "127.0.0.1",
        "SLURM_NODELIST": "127.0.0.1", "SLURM_NNODES": "2", "SLURM_NTASKS": "2", "SLURM_NTASKS_PER_NODE": "1",
        "SLURM_PROCID": str(node), "SLURM_LOCALID": "0", "SLURM_NODEID": str(node), "MASTER_PORT": str(port),
    }  # fmt: skip


@pytest.mark.parametrize("launcher", [torchrun, srun])
def test_two_nodes_train_one_model_in_one_run(two_processes, tokens, launcher):
    """Two launchers on the loopback, a process each: what `trainer: auto` finds is two machines."""
    values = YAML(typ="safe").load((two_processes / "params.yaml").read_text())
    values["trainer"] |= {"devices": "auto", "num_nodes": "auto"}
    values["model"]["seeds"] = [7]
    write_params(values, two_processes)
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
    said = [node.communicate(timeout=300)[0] for node in nodes]
    assert [node.returncode for node in nodes] == [0, 0], "\n".join(said)
    assert "epoch 2/2" in said[0]
    assert "epoch" not in said[1], "one process tells of it"

    client = MlflowClient(f"sqlite:///{two_processes}/mlruns/mlflow.db")
    (only,) = client.search_runs([client.get_experiment_by_name("sample").experiment_id])
    assert only.info.status == "FINISHED"
    assert_like_one_process(two_processes, tokens)


def test_gradients_are_averaged_over_the_processes(two_processes):
    (two_processes / "watched.py").write_text(WATCHED)
    run(two_processes, "watched.py")
    first, second = (json.loads((two_processes / f"rank-{rank}.json").read_text()) for rank in (0, 1))
    assert len(first) == len(second) > 10
    for (weights, gradients, ids), (other_weights, other_gradients, other_ids) in zip(first, second, strict=True):
        assert ids != other_ids, "the two processes read different reviews"
        assert gradients == other_gradients
        assert weights == other_weights
    assert len({weights for weights, _, _ in first}) == len(first), "every step moves the weights"
