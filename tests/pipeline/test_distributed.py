"""DDP over gloo, two processes on the CPU: one MLflow run, averaged gradients, metrics like one process's."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient

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


class Watch(pl.Callback):
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
    logger=False, callbacks=[Watch()])
"""


def run(folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("MLFLOW_")}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=folder,
        env=environment,
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
    values["model"]["seeds"] = [7, 8]
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
    chosen = params.load(two_processes / "params.yaml")
    alone = chosen.trainer.model_copy(update={"devices": 1})
    one = fit(
        "one process", chosen.model_of("bilstm"), alone, 7, tokens=tokens, checkpoints=two_processes / "one",
        logger=False,
    )  # fmt: skip
    assert one is not None
    best = min(one.history, key=lambda row: row["validation_loss"])
    assert seeds[0]["validation_loss"] == pytest.approx(best["validation_loss"], abs=0.1)
    assert seeds[0]["validation_accuracy"] == pytest.approx(best["validation_accuracy"], abs=0.15)


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
