"""DVC as people use it: figures and curves shown, experiments run and queued, weights pushed, a colleague's clone."""

import json
import shutil
import sys
import time
from pathlib import Path
from statistics import fmean

import pytest
from mlflow import MlflowClient
from project import ARCHITECTURES, BASELINES, GIT, run, succeed

RIVAL = ("linear@nb_logistic", "linear.nb_logistic.max_ngram")  # a stage of seconds, and one of its parameters
ANSWERS = """
import sys, mlflow, pyarrow.parquet as parquet
mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")
texts = parquet.read_table("data/raw/test.parquet").to_pydict()["texts"]
print([answer["probability"] for answer in mlflow.pyfunc.load_model(sys.argv[1]).predict(texts)])
"""


@pytest.fixture
def owner(reproduced: Path, tmp_path: Path) -> Path:
    """A copy of the finished project, all committed, with an MLflow store of its own that is empty."""
    folder = tmp_path / "project"
    shutil.copytree(reproduced, folder, ignore=shutil.ignore_patterns("mlruns", "__pycache__"))
    for key, value in (("user.name", "t"), ("user.email", "t@example.org")):  # dvc exp commits, too
        succeed(folder, "git", "config", key, value)
    succeed(folder, "git", "add", "--all")
    succeed(folder, "git", "commit", "--quiet", "-m", "results")
    return folder


def shown(folder: Path, *command: str) -> dict:
    """What a command of DVC's says in JSON."""
    return json.loads(succeed(folder, "dvc", *command, "--json"))


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def wait_for_the_queue(folder: Path) -> None:
    """Until what was queued has run in the background."""
    deadline = time.monotonic() + 200
    while "Success" not in (status := succeed(folder, "dvc", "queue", "status")):
        assert "Failed" not in status, succeed(folder, "dvc", "queue", "logs", "words")
        assert time.monotonic() < deadline, status
        time.sleep(1)


def test_the_metrics_of_every_architecture_are_shown(owner):
    files = [f"reports/train/{name}.json" for name in (*ARCHITECTURES, *BASELINES)]
    metrics = shown(owner, "metrics", "show", *files)[""]["data"]
    assert list(metrics) == files
    for file in files:
        row, seeds = metrics[file]["data"], read(owner / file)["seeds"]
        scored = "test" if row["protocol"] == "document" else "validation"
        for key in (f"{scored}_accuracy", f"{scored}_loss", "train_seconds"):
            assert row[key] == pytest.approx(fmean(seed[key] for seed in seeds))
    columns = {key for row in metrics.values() for key in row["data"]}
    assert len(columns) <= 8, "what is wider than a terminal is not read"


def test_the_learning_curves_of_every_architecture_are_drawn(owner):
    plots = shown(owner, "plots", "show")["data"]
    for name in ARCHITECTURES:
        (plot,) = plots[f"reports/train/{name}.csv"]
        rows = plot["content"]["data"]["values"]
        assert [row["epoch"] for row in rows] == ["1", "2"]
        drawn = [chart["encoding"]["y"]["title"] for chart in plot["content"]["hconcat"]]
        assert drawn == ["loss", "accuracy"]
        for chart in plot["content"]["hconcat"]:
            assert all(column in rows[0] for column in chart["transform"][0]["fold"])
    assert plots["reports/comparison.csv"]
    assert plots["reports/comparison.png"]

    curve = owner / "reports/train/rnn.csv"
    curve.write_text(curve.read_text().rsplit("\n", 2)[0] + "\n")
    (plot,) = shown(owner, "plots", "diff", "HEAD", "--targets", "reports/train/rnn.csv")["data"].values()
    epochs = {(row["rev"], row["epoch"]) for row in plot[0]["content"]["data"]["values"]}
    assert epochs == {("HEAD", "1"), ("HEAD", "2"), ("workspace", "1")}


def test_experiments_run_at_once_or_queued_are_shown_and_their_runs_are_in_the_projects_mlflow(owner):
    stage, key = RIVAL
    succeed(owner, "dvc", "exp", "run", "--name", "pairs", "-S", f"{key}=2", stage)
    difference = shown(owner, "metrics", "diff")["reports/train/nb_logistic.json"]
    assert difference["validation_loss"]["diff"]
    assert shown(owner, "params", "diff")["params.yaml"][key] == {"old": 3, "new": 2, "diff": -1}

    succeed(owner, "dvc", "exp", "run", "--queue", "--name", "words", "-S", f"{key}=1", stage)
    succeed(owner, "dvc", "queue", "start")
    wait_for_the_queue(owner)
    (_, baseline) = shown(owner, "exp", "show")
    seen = {}
    for experiment in baseline["experiments"]:
        (revision,) = experiment["revs"]
        data = revision["data"]
        ngram = data["params"]["params.yaml"]["data"]["linear"]["nb_logistic"]["max_ngram"]
        seen[experiment["name"]] = (ngram, data["metrics"]["reports/train/nb_logistic.json"]["data"]["validation_loss"])
    assert {name: ngram for name, (ngram, _) in seen.items()} == {"pairs": 2, "words": 1}

    client = MlflowClient(f"sqlite:///{owner}/mlruns/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("sample").experiment_id])
    runs = {run.data.tags["dvc.experiment"]: run for run in found}
    assert set(runs) == {"pairs", "words"}
    for name, (ngram, loss) in seen.items():
        assert runs[name].info.status == "FINISHED"
        assert runs[name].data.params["max_ngram"] == str(ngram)
        assert runs[name].data.metrics["best_validation_loss"] == pytest.approx(loss)
        assert client.list_artifacts(runs[name].info.run_id, "model"), "they outlive DVC's copy of the project"
        assert f"dvc exp apply {name}" in runs[name].data.tags["mlflow.note.content"]

    run(owner, "dvc", "exp", "apply", "words")  # complains of the files of `best`, which was never run here
    assert read(owner / "reports/train/nb_logistic.json")["validation_loss"] == pytest.approx(seen["words"][1])


def test_a_colleague_pulls_and_has_the_champion_without_a_training(owner, reproduced, tmp_path):
    succeed(owner, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    succeed(owner, *GIT, "commit", "--quiet", "--all", "-m", "where the weights are")
    succeed(owner, "dvc", "push", "dvc.yaml")
    succeed(tmp_path, "git", "clone", "--quiet", str(owner), "clone")
    clone = tmp_path / "clone"
    assert not (clone / "models").exists()
    succeed(clone, "dvc", "pull", "dvc.yaml")
    assert "up to date" in succeed(clone, "dvc", "status", "dvc.yaml")

    said = succeed(clone, "dvc", "repro", "--single-item", "--force", "register") + succeed(clone, "dvc", "repro")
    ran = {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}
    assert ran == {"register", "evaluate"}
    original = f"models:/imdb-bilstm/{read(reproduced / 'reports/registered.json')['version']}"
    answers = succeed(clone, sys.executable, "-c", ANSWERS, "models:/imdb-bilstm@champion")
    assert answers == succeed(reproduced, sys.executable, "-c", ANSWERS, original)
    client = MlflowClient(f"sqlite:///{clone}/mlruns/mlflow.db")
    (run,) = client.search_runs([client.get_experiment_by_name("sample").experiment_id])
    assert run.info.run_name == "bilstm (registered from files)"
