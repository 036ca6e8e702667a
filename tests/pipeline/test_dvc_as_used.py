"""DVC as docs/dvc.md describes it: metrics, plots, experiments run and queued, weights pushed, a colleague's clone."""

import json
import re
import shutil
import sys
import time
from pathlib import Path
from statistics import fmean

import pytest
from conftest import NAME, ROOT
from cures import run_cure
from mlflow import MlflowClient
from project import ARCHITECTURES, GIT, REPORTS, run, succeed

STAGE, KEY = "baseline@nb_logistic", "baselines.nb_logistic.max_ngram"  # a stage of seconds, and one of its parameters
PREDICT = """
import sys, mlflow, pyarrow.parquet as parquet
mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")
texts = parquet.read_table("data/raw/test.parquet").to_pydict()["texts"]
print([row["probability"] for row in mlflow.pyfunc.load_model(sys.argv[1]).predict(texts)])
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
    """The JSON output of a command of DVC's."""
    return json.loads(succeed(folder, "dvc", *command, "--json"))


def read(path: Path) -> dict:
    return json.loads(path.read_text())


def wait_for_the_queue(folder: Path) -> None:
    """Until the queued experiment has run in the background."""
    deadline = time.monotonic() + 200
    while "Success" not in (status := succeed(folder, "dvc", "queue", "status")):
        assert "Failed" not in status, succeed(folder, "dvc", "queue", "logs", "words")
        assert time.monotonic() < deadline, status
        time.sleep(1)


def test_the_metrics_of_every_architecture_are_shown(owner):
    files = [f"{path}.json" for path in REPORTS.values()]
    metrics = shown(owner, "metrics", "show", *files)[""]["data"]
    assert list(metrics) == files
    for file in files:
        row, seeds = metrics[file]["data"], read(owner / file)["seeds"]
        split = "test" if row["protocol"] == "keras_reference" else "validation"
        for key in (f"{split}_accuracy", f"{split}_loss", "train_seconds"):
            assert row[key] == pytest.approx(fmean(seed[key] for seed in seeds))
    columns = {key for row in metrics.values() for key in row["data"]}
    assert len(columns) <= 8, "as wide as a terminal"


@pytest.mark.parametrize(
    "command", [["stage", "list", "--name-only"], ["dag", "train@bilstm"], ["dag", "--md", "evaluate"]]
)
def test_the_stages_are_shown_as_wide_as_a_terminal(command):
    shown_lines = succeed(ROOT, "dvc", *command).splitlines()
    assert any("train" in line for line in shown_lines)
    assert max(map(len, shown_lines)) <= 80


def test_the_learning_curves_of_every_architecture_are_plotted(owner):
    plots = shown(owner, "plots", "show")["data"]
    for name in ARCHITECTURES:
        (plot,) = plots[f"{REPORTS[name]}.csv"]
        rows = plot["content"]["data"]["values"]
        assert [row["epoch"] for row in rows] == ["1", "2"]
        assert [chart["encoding"]["y"]["title"] for chart in plot["content"]["hconcat"]] == ["loss", "accuracy"]
        for chart in plot["content"]["hconcat"]:
            assert all(column in rows[0] for column in chart["transform"][0]["fold"])
    assert plots["reports/comparison.csv"]
    assert plots["reports/comparison.png"]

    curve = owner / f"{REPORTS['bilstm']}.csv"
    curve.write_text(curve.read_text().rsplit("\n", 2)[0] + "\n")
    (plot,) = shown(owner, "plots", "diff", "HEAD", "--targets", f"{REPORTS['bilstm']}.csv")["data"].values()
    epochs = {(row["rev"], row["epoch"]) for row in plot[0]["content"]["data"]["values"]}
    assert epochs == {("HEAD", "1"), ("HEAD", "2"), ("workspace", "1")}


@pytest.mark.soak
def test_experiments_run_at_once_or_queued_are_shown_and_their_runs_are_in_the_projects_mlflow(owner):
    report = f"{REPORTS['nb_logistic']}.json"
    succeed(owner, "dvc", "exp", "run", "--name", "pairs", "-S", f"{KEY}=2", STAGE)
    assert shown(owner, "metrics", "diff")[report]["validation_loss"]["diff"]
    assert shown(owner, "params", "diff")["params.yaml"][KEY] == {"old": 3, "new": 2, "diff": -1}

    succeed(owner, "dvc", "exp", "run", "--queue", "--name", "words", "-S", f"{KEY}=1", STAGE)
    succeed(owner, "dvc", "queue", "start")
    wait_for_the_queue(owner)
    drop = "Created|dataset|protocol|.*(/|_loss|_seconds).*"
    table = succeed(owner, "dvc", "exp", "show", "--only-changed", "--drop", drop)
    assert all(name in table for name in ("pairs", "words", KEY))
    assert max(map(len, table.splitlines())) <= 120, "fits a wide terminal"
    (_, baseline) = shown(owner, "exp", "show")
    seen = {}
    for experiment in baseline["experiments"]:
        (revision,) = experiment["revs"]
        data = revision["data"]
        ngram = data["params"]["params.yaml"]["data"]["baselines"]["nb_logistic"]["max_ngram"]
        seen[experiment["name"]] = (ngram, data["metrics"][report]["data"]["validation_loss"])
    assert {name: ngram for name, (ngram, _) in seen.items()} == {"pairs": 2, "words": 1}

    client = MlflowClient(f"sqlite:///{owner}/mlruns/mlflow.db")
    found = client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])
    runs = {each.data.tags["dvc.experiment"]: each for each in found}
    assert set(runs) == {"pairs", "words"}
    for name, (ngram, loss) in seen.items():
        assert runs[name].info.status == "FINISHED"
        assert runs[name].data.params["max_ngram"] == str(ngram)
        assert runs[name].data.metrics["best_validation_loss"] == pytest.approx(loss)
        assert client.list_artifacts(runs[name].info.run_id, "model"), "they outlive DVC's copy of the project"
        assert f"dvc exp apply {name}" in runs[name].data.tags["mlflow.note.content"]

    run(owner, "dvc", "exp", "apply", "words")  # its exit status is that of outs which no stage has made yet
    assert read(owner / report)["validation_loss"] == pytest.approx(seen["words"][1])


def test_a_colleague_pulls_and_has_the_champion_without_a_training(owner, reproduced, tmp_path):
    succeed(owner, "dvc", "remote", "add", "--default", "store", str(tmp_path / "store"))
    succeed(owner, *GIT, "commit", "--quiet", "--all", "-m", "where the weights are")
    succeed(owner, "dvc", "push")
    succeed(tmp_path, "git", "clone", "--quiet", str(owner), "clone")
    clone = tmp_path / "clone"
    assert not (clone / "models").exists()
    succeed(clone, "dvc", "pull", "--with-deps", "compare", "evaluate")
    assert "up to date" in succeed(clone, "dvc", "status", "--with-deps", "compare", "evaluate")

    missing = run(clone, "sentiment-rnn", "predict", "A good film.").stderr
    assert "there is no mlruns/mlflow.db" in missing
    output = run_cure(missing, "sentiment-rnn run evaluate", clone)
    assert re.findall(r"^\[\d+/\d+\] (\S+): ", output, re.MULTILINE) == ["register", "evaluate"]
    original = f"models:/{NAME}/{read(reproduced / 'reports/registered.json')['version']}"
    predictions = succeed(clone, sys.executable, "-c", PREDICT, f"models:/{NAME}@champion")
    assert predictions == succeed(reproduced, sys.executable, "-c", PREDICT, original)
    client = MlflowClient(f"sqlite:///{clone}/mlruns/mlflow.db")
    (found,) = client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])
    assert found.info.run_name == "bilstm (from files)"
