"""`make claims` in a store that has all trainings but one, with made-up metrics."""

import re
from pathlib import Path

import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient
from mlflow.entities import Metric

from pipeline import claims
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.studies.claims.measure import limit_sizes
from sentiment_rnn.studies.claims.plan import plan
from sentiment_rnn.studies.experiment import KEY, Context
from sentiment_rnn.tracking.store import experiment

SHORT = {"max_length": 24, "max_epochs": 1, "vocab_size": 200, "batch_size": 60, "word_vectors": False}
DIFFERENCES = {"bilstm": 2.0, "stacked_lstm": -2.0, "peephole_lstm": 0.1}  # percentage points, every seed


@pytest.fixture
def project(client: MlflowClient, tmp_path: Path, tokens: Path) -> Path:
    values = shrunk_values()
    values["claims"] |= {"model": SHORT, "long_range_model": SHORT | {"hidden_size": 4}, "gradient_steps": 6}
    values["claims"] |= {"reservoir_model": {"hidden_size": 6}, "long_range_reviews": 40, "reviews": 100}
    values["claims"] |= {"learning_curve": [40], "labeled": [60], "pretraining_reviews": 20}
    write_params(values, tmp_path)
    (tmp_path / "data").symlink_to(tokens.parent)
    (tmp_path / "work/claims").mkdir(parents=True)
    chosen = params.load()
    context = Context(chosen.trainer, Path("data/tokens"), Path("work/claims"), "claims")
    train = read_json(tokens.parents[1] / "reports/tokens.json")["train"]["reviews"]
    store = experiment(client, context.experiment_name())
    for planned in plan(limit_sizes(chosen, train))[:-1]:
        run = client.create_run(store, tags={KEY: planned.key(context)}).info.run_id
        noise = 0.02 * planned.seed
        accuracy = 0.8 + (DIFFERENCES.get(planned.name, 0.0) * (1 + noise)) / 100
        weights = {"lstm": 400, "gru": 300}.get(planned.model.cell, 100)
        metrics = [Metric("test_accuracy", accuracy, 0, 0), Metric("weights", weights, 0, 0)]
        if planned.gradients:
            decay = {"rnn": 0.1, "lstm": 0.5}[planned.model.cell] - noise / 10
            metrics += [Metric("gradient_norm", decay**step, 0, step) for step in range(planned.gradients + 1)]
        client.log_batch(run, metrics=metrics)
        client.set_terminated(run)
    return tmp_path


def test_the_missing_training_is_run_and_the_verdicts_follow_the_metrics(
    project: Path, client: MlflowClient, capsys: pytest.CaptureFixture[str]
) -> None:
    claims.main()
    total = len(plan(params.load()))
    trained = re.findall(r"claims: (\d+)/(\d+) (.*?):", capsys.readouterr().out)
    assert trained == [(str(total), str(total), "mlstm, pre-trained, 60 reviews, seed 3")]
    report = read_json("reports/claims.json")["claims"]
    verdicts = {name: claim["verdict"] for name, claim in report.items()}
    assert verdicts["bidirectional"] == "supported"
    assert verdicts["stacking"] == verdicts["peepholes"] == "not supported"
    assert verdicts["vanishing-gradient"] == "supported"
    assert verdicts["gru-simpler"] == "supported"
    effect = report["bidirectional"]["effects"]["bilstm - lstm"]
    assert effect["mean"] == pytest.approx(2.08)
    assert effect["interval"][0] < 2.08 < effect["interval"][1]

    text = Path("reports/claims.md").read_text()
    for claim in report.values():
        assert claim["statement"] in text
        for run_id in claim["runs"]:
            assert any(key.startswith("claim.") for key in client.get_run(run_id).data.tags)
    for file in re.findall(r"\]\((claims/.*?\.png)\)", text):
        assert (Path("reports") / file).stat().st_size > 5_000
    assert "not IMDB" in text

    claims.main()
    output = capsys.readouterr().out
    assert f"{total} of {total} trainings finished" in output
    assert not re.findall(r"claims: \d+/", output)
    assert Path("reports/claims.md").read_text() == text


def test_sizes_above_the_number_of_reviews_are_left_out(project: Path) -> None:
    chosen = params.load()
    limited = limit_sizes(chosen, 80).claims
    assert (limited.reviews, limited.learning_curve, limited.labeled) == (79, [40], [60])
    with pytest.raises(UserError, match=r"claims.labeled: train has 50 reviews"):
        limit_sizes(chosen, 50)
