"""`make claims` as a process, in a store that has all trainings but one: their figures are planted."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from mlflow.entities import Metric

from pipeline.claims import within
from sentiment_rnn import params
from sentiment_rnn.files import read_json
from sentiment_rnn.studies.claims.plan import plan
from sentiment_rnn.studies.experiment import KEY, Context
from sentiment_rnn.tracking.store import experiment

SHORT = {"max_length": 24, "max_epochs": 1, "vocab_size": 200, "batch_size": 60}
GAINS = {"bilstm": 2.0, "stacked_lstm": -2.0, "peephole_lstm": 0.1}  # points over the rest, every seed


@pytest.fixture
def project(client: MlflowClient, tmp_path: Path, tokens: Path) -> Path:
    values = shrunk_values()
    values["claims"] |= {"model": SHORT, "distance_model": SHORT | {"hidden_size": 4}, "gradient_steps": 6}
    values["claims"] |= {"reservoir_model": {"hidden_size": 6}, "distance_reviews": 40, "reviews": 100}
    values["claims"] |= {"learning_curve": [40], "labelled": [60], "pretraining_reviews": 20}
    write_params(values, tmp_path)
    (tmp_path / "data").symlink_to(tokens.parent)
    (tmp_path / "work/claims").mkdir(parents=True)
    chosen = params.load()
    context = Context(chosen.trainer, Path("data/tokens"), Path("work/claims"), "claims")
    train = read_json(tokens.parents[1] / "reports/tokens.json")["train"]["reviews"]
    store = experiment(client, context.experiment_name())
    for planned in plan(within(chosen, train))[:-1]:
        run = client.create_run(store, tags={KEY: planned.key(context)}).info.run_id
        noise = 0.02 * planned.seed
        accuracy = 0.8 + (GAINS.get(planned.name, 0.0) * (1 + noise)) / 100
        weights = {"lstm": 400, "gru": 300}.get(planned.model.cell, 100)
        points = [Metric("test_accuracy", accuracy, 0, 0), Metric("weights", weights, 0, 0)]
        if planned.gradients:
            fades = {"rnn": 0.1, "lstm": 0.5, "gru": 0.6}[planned.model.cell] - noise / 10
            points += [Metric("gradient_norm", fades**age, 0, age) for age in range(planned.gradients + 1)]
        client.log_batch(run, metrics=points)
        client.set_terminated(run)
    return tmp_path


def claims(project: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "pipeline.claims"]
    paths = os.environ | {"PYTHONPATH": str(ROOT)}
    return subprocess.run(command, cwd=project, env=paths, capture_output=True, text=True)


def test_what_is_missing_is_run_and_the_verdicts_follow_the_figures(project: Path, client: MlflowClient) -> None:
    done = claims(project)
    assert done.returncode == 0, done.stderr
    said = re.findall(r"claims: (\d+)/(\d+) (.*?):", done.stdout)
    total = len(plan(params.load()))
    assert said == [(str(total), str(total), "mlstm, pre-trained, 60 reviews, seed 3")]
    report = read_json("reports/claims.json")["claims"]
    verdicts = {name: claim["verdict"] for name, claim in report.items()}
    assert verdicts["bidirectional"] == "holds"
    assert verdicts["stacking"] == verdicts["peepholes"] == "does not hold"
    assert verdicts["vanishing-gradient"] == "holds"
    assert verdicts["gru-simpler"] == "holds"
    gain = report["bidirectional"]["effects"]["bilstm - lstm"]
    assert gain["mean"] == pytest.approx(2.08)
    assert gain["interval"][0] < 2.08 < gain["interval"][1]

    text = Path("reports/claims.md").read_text()
    for claim in report.values():
        assert claim["says"] in text
        for run_id in claim["runs"]:
            assert any(key.startswith("claim.") for key in client.get_run(run_id).data.tags)
    for file in re.findall(r"\]\((claims/.*?\.png)\)", text):
        assert (Path("reports") / file).stat().st_size > 5_000
    assert "NOT IMDB" in text.upper()

    again = claims(project)
    assert f"{total} of {total} trainings done" in again.stdout
    assert not re.findall(r"claims: \d+/", again.stdout)
    assert Path("reports/claims.md").read_text() == text


def test_without_tokenized_reviews_it_says_so_in_one_line(project: Path) -> None:
    (project / "data").unlink()
    done = claims(project)
    assert done.returncode == 1
    assert len(done.stderr.strip().splitlines()) == 1
    assert "dvc repro" in done.stderr
