"""The stage: one run that shows what was fitted, the model's files, and a row of the comparison like the networks'."""

import csv
import shutil

import pytest
from conftest import shrunk_values, write_params
from sklearn.metrics import accuracy_score

from pipeline import compare, linear
from sentiment_rnn.baselines import model
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import serialization
from sentiment_rnn.models import Classifier

BASELINES = ["tfidf_logistic", "nb_logistic"]
UNTRAINED = {
    "seed": 7, "validation_accuracy": 0.5, "validation_loss": 0.7, "parameters": 1, "epochs": 1,
    "mean_epoch_seconds": 1.0, "mean_tokens_per_second": 1.0, "train_seconds": 1.0,
}  # fmt: skip


@pytest.fixture
def trained(project, tokens, client):
    """A project after the stage linear, with no network in it."""
    shutil.copytree(tokens.parent, project / "data")
    for name in BASELINES:
        linear.main(name)
    return project


def test_a_rival_is_one_finished_run_and_a_report_of_it(trained, client):
    experiment = client.get_experiment_by_name("sample").experiment_id
    found = {run.data.tags["architecture"]: run for run in client.search_runs([experiment])}
    assert set(found) == set(BASELINES)
    for name, run in found.items():
        report = read_json(trained / f"reports/train/{name}.json")
        assert (report["architecture"], report["protocol"]) == (name, "linear")
        (fitted,) = report["seeds"]
        assert fitted["run_id"] == run.info.run_id
        assert run.info.status == "FINISHED"
        assert run.data.params["c"] == str([candidate["c"] for candidate in fitted["candidates"]])
        assert run.data.metrics["best_validation_loss"] == fitted["validation_loss"]
        assert run.data.metrics["best_validation_accuracy"] == fitted["validation_accuracy"]
        assert run.data.metrics["parameters"] == model.load(trained / "models" / name).parameters
        assert run.data.metrics["train_seconds"] > 0
        assert not [key for key in run.data.metrics if "test" in key], "test is compare's"
        assert run.inputs.dataset_inputs[0].dataset.name == "sample"
        logged = {file.path for file in client.list_artifacts(run.info.run_id, "model")}
        assert logged == {f"model/{path.name}" for path in (trained / "models" / name).iterdir()}


def test_compare_has_a_row_for_each_rival_beside_the_networks(trained, client):
    values = shrunk_values() | {"architectures": ["rnn"]}
    values["registry"]["candidates"] = ["rnn"]
    write_params(values, trained)
    network = compare.params.load().model_of("rnn")
    serialization.save(
        Classifier(**network.architecture()),
        network.architecture(),
        Encoding(**network.encoding()),
        trained / "models/rnn/seed-7",
    )
    write_json(
        trained / "reports/train/rnn.json",
        {"architecture": "rnn", "protocol": "holdout", "seeds": [UNTRAINED | {"run_id": "nowhere"}]},
    )
    compare.main()

    test = reviews.load(trained / "data/raw", trained / "data/tokens", "test")
    rows = read_json(trained / "reports/comparison.json")["architectures"]
    assert list(rows) == ["rnn", *BASELINES]
    for name in BASELINES:
        said = model.load(trained / "models" / name).logits(test.texts) >= 0
        assert rows[name]["test_accuracy"] == accuracy_score(test.labels, said)
        assert rows[name]["protocol"] == "linear"
        run_id = read_json(trained / f"reports/train/{name}.json")["seeds"][0]["run_id"]
        assert client.get_run(run_id).data.metrics["final_test_accuracy"] == rows[name]["test_accuracy"]
    with (trained / "reports/comparison.csv").open() as file:
        assert [(row["architecture"], row["epoch_seconds"]) for row in csv.DictReader(file)] == [
            ("rnn", "1.0"),
            *((name, "") for name in BASELINES),
        ]
    assert all(f"| {name} |" in (trained / "reports/comparison.md").read_text() for name in rows)
    assert (trained / "reports/comparison.png").stat().st_size > 1000


def test_an_unknown_rival_is_refused(project, client):
    with pytest.raises(
        UserError, match=r"no linear baseline svm in params\.yaml; there are tfidf_logistic, nb_logistic"
    ):
        linear.main("svm")


def test_a_rival_that_cannot_be_fitted_leaves_no_model(project, tokens, client):
    shutil.copytree(tokens.parent, project / "data")
    values = shrunk_values()
    values["linear"]["nb_logistic"]["min_df"] = 1000
    write_params(values, project)
    with pytest.raises(UserError, match="min_df"):
        linear.main("nb_logistic")
    assert not (project / "models").exists()
    assert not (project / "reports").exists()
    (run,) = client.search_runs([client.get_experiment_by_name("sample").experiment_id])
    assert run.info.status == "FAILED"
