"""Trainings killed with SIGKILL and started again: the same MLflow run, the same weights."""

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

SECONDS = ("epoch_seconds", "tokens_per_second", "mean_epoch_seconds", "mean_tokens_per_second", "train_seconds")


def prepare(folder: Path, tokens: Path) -> Path:
    """A project whose tokenize stage is done, with a bilstm slow enough to be killed between its epochs."""
    values = shrunk_values()
    values["model"] |= {"max_epochs": 4, "patience": 4, "batch_size": 2}
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
    said, errors = process.communicate(timeout=300)
    assert process.returncode == 0, errors
    return said


def kill_after(process: subprocess.Popen[str], words: str) -> None:
    """SIGKILL as soon as the stage says `words`."""
    assert process.stdout
    for line in process.stdout:
        if words in line:
            process.kill()
            break
    process.communicate()
    assert process.returncode == -9, "it ended before it could be killed"


def runs_of(folder: Path, experiment: str):
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


@pytest.fixture(scope="module")
def trained(tokens, tmp_path_factory):
    """Two projects of the same params: one trained without interruption, one killed, and what its second start said."""
    whole = prepare(tmp_path_factory.mktemp("whole"), tokens)
    killed = prepare(tmp_path_factory.mktemp("killed"), tokens)
    uninterrupted, interrupted = start(whole), start(killed)
    kill_after(interrupted, "epoch 2/4")  # the first epoch's checkpoint is on disk by now
    assert not (killed / "reports").exists()
    assert not (killed / "models").exists()
    said = finish(start(killed))
    finish(uninterrupted)
    return whole, killed, said


def report(folder: Path) -> dict:
    (seed,) = json.loads((folder / "reports/train/bilstm.json").read_text())["seeds"]
    return {key: value for key, value in seed.items() if key not in (*SECONDS, "run_id")}


def test_a_killed_training_goes_on_in_its_run(trained):
    _, killed, said = trained
    (run,) = runs_of(killed, "sample")
    assert run.info.status == "FINISHED"
    assert f"going on with MLflow run {run.info.run_id}" in said
    assert "epoch 1/4" not in said
    assert "epoch 4/4" in said
    client = MlflowClient(f"sqlite:///{killed}/mlruns/mlflow.db")
    losses = {metric.step: metric.value for metric in client.get_metric_history(run.info.run_id, "validation_loss")}
    assert len(losses) == 4
    assert not list((killed / "work").rglob("*.ckpt")), "nothing to resume from is left"


def test_a_killed_training_ends_with_the_weights_of_an_uninterrupted_one(trained):
    whole, killed, _ = trained
    weights = [load_file(folder / "models/bilstm/seed-7/model.safetensors") for folder in (whole, killed)]
    assert weights[0].keys() == weights[1].keys()
    for name in weights[0]:
        assert weights[0][name].tobytes() == weights[1][name].tobytes(), name


def test_the_same_params_twice_give_the_same_metrics_to_the_last_digit(trained):
    whole, killed, _ = trained
    assert report(whole) == report(killed)
    histories = [
        [{key: value for key, value in row.items() if key not in SECONDS} for row in json.loads(path.read_text())]
        for path in (folder / "models/bilstm/seed-7/history.json" for folder in (whole, killed))
    ]
    assert histories[0] == histories[1]
    assert [row["epoch"] for row in histories[0]] == [1, 2, 3, 4]


@pytest.mark.soak
def test_twenty_kills_at_random_moments_lose_and_double_nothing(tokens, tmp_path):
    prepare(tmp_path, tokens)
    random, kills = Random(1), 0
    while kills < 20:
        process = start(tmp_path)
        try:
            process.communicate(timeout=random.uniform(3, 15))
            shutil.rmtree(tmp_path / "work", ignore_errors=True)  # it ended first: begin another
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()
            kills += 1
    finish(start(tmp_path))
    assert not [run for run in runs_of(tmp_path, "sample") if run.info.status == "RUNNING"]
    history = json.loads((tmp_path / "models/bilstm/seed-7/history.json").read_text())
    assert [row["epoch"] for row in history] == [1, 2, 3, 4]
