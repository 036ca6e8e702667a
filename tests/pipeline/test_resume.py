"""The stage train killed with SIGKILL and started again: the same MLflow run, the same weights."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from safetensors.numpy import load_file

TIMES = ("epoch_seconds", "tokens_per_second", "mean_epoch_seconds", "mean_tokens_per_second", "train_seconds")
MODEL = "models/family/bilstm/seed-7"


def prepare(folder: Path, tokens: Path) -> Path:
    """A project after the tokenize stage, with a bilstm slow enough to be killed between its epochs."""
    values = shrunk_values()
    values["model"] |= {"max_epochs": 4, "patience": 4, "batch_size": 2, "word_vectors": False}
    write_params(values, folder)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    (folder / "searches").mkdir()
    (folder / "searches/bilstm.json").write_text("{}")
    return folder


def start(folder: Path) -> subprocess.Popen[str]:
    environment = {key: os.environ[key] for key in os.environ if not key.startswith("MLFLOW_")}
    environment |= {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}", "OMP_NUM_THREADS": "1"}
    return subprocess.Popen(
        [sys.executable, "-m", "pipeline.train", "bilstm"],
        cwd=folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> str:
    output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return output


def kill_after(process: subprocess.Popen[str], words: str) -> None:
    """SIGKILL as soon as `words` are printed."""
    assert process.stdout
    for line in process.stdout:
        if words in line:
            process.kill()
            break
    process.communicate()
    assert process.returncode == -9, "it ended before it could be killed"


def runs_of(folder: Path) -> list:
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    return list(client.search_runs([client.get_experiment_by_name("synthetic").experiment_id]))


@pytest.fixture(scope="module")
def trained(tokens, tmp_path_factory):
    """Two projects with the same params, the second one killed and resumed; the output of the resumed training."""
    whole = prepare(tmp_path_factory.mktemp("whole"), tokens)
    killed = prepare(tmp_path_factory.mktemp("killed"), tokens)
    uninterrupted, interrupted = start(whole), start(killed)
    kill_after(interrupted, "epoch 2/4")  # the checkpoint of the first epoch is written
    assert not (killed / "reports").exists()
    assert not (killed / "models").exists()
    output = finish(start(killed))
    finish(uninterrupted)
    return whole, killed, output


def test_a_killed_training_resumes_in_its_run(trained):
    _, killed, output = trained
    (run,) = runs_of(killed)
    assert run.info.status == "FINISHED"
    assert f"resuming MLflow run {run.info.run_id}" in output
    assert "epoch 1/4" not in output
    assert "epoch 4/4" in output
    client = MlflowClient(f"sqlite:///{killed}/mlruns/mlflow.db")
    losses = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "validation_loss")}
    assert len(losses) == 4
    assert not list((killed / "work").rglob("*.ckpt"))


def test_weights_and_metrics_are_those_of_an_uninterrupted_training(trained):
    whole, killed, _ = trained
    weights = [load_file(folder / MODEL / "model.safetensors") for folder in (whole, killed)]
    assert weights[0].keys() == weights[1].keys()
    for name in weights[0]:
        assert weights[0][name].tobytes() == weights[1][name].tobytes(), name

    def metrics(folder: Path) -> list[dict]:
        (seed,) = json.loads((folder / "reports/train/family/bilstm.json").read_text())["seeds"]
        rows = [seed, *json.loads((folder / MODEL / "history.json").read_text())]
        return [{key: value for key, value in row.items() if key not in (*TIMES, "run_id")} for row in rows]

    assert metrics(whole) == metrics(killed)
    assert [row["epoch"] for row in metrics(killed)[1:]] == [1, 2, 3, 4]


@pytest.mark.soak
def test_twenty_kills_at_random_moments_lose_and_repeat_nothing(tokens, tmp_path):
    prepare(tmp_path, tokens)
    random, kills = Random(1), 0
    while kills < 20:
        process = start(tmp_path)
        try:
            process.communicate(timeout=random.uniform(3, 15))
            shutil.rmtree(tmp_path / "work", ignore_errors=True)  # it ended first: start another one
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    finish(start(tmp_path))
    assert not [run for run in runs_of(tmp_path) if run.info.status == "RUNNING"]
    history = json.loads((tmp_path / MODEL / "history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
