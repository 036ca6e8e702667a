"""The stage: one run that shows what was fitted, the model's files, and a row of the comparison like the networks'."""

import csv
import json
import shutil

import pytest
from conftest import shrunk_values, write_params
from sklearn.metrics import accuracy_score

from pipeline import compare, linear
from sentiment_rnn.errors import UserError
from sentiment_rnn.linear import model, reviews

RIVALS = ["tfidf_logistic", "nb_logistic"]


@pytest.fixture
def trained(project, tokens, client):
    """A project after the stage linear, with no network in it."""
    shutil.copytree(tokens.parent, project / "data")
    for name in RIVALS:
        linear.main(name)
    return project


def test_a_rival_is_one_finished_run_and_a_report_of_it(trained, client):
    experiment = client.get_experiment_by_name("sample").experiment_id
    found = {run.data.tags["architecture"]: run for run in client.search_runs([experiment])}
    assert set(found) == set(RIVALS)
    for name, run in found.items():
        report = json.loads((trained / f"reports/train/{name}.json").read_text())
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


def test_compare_scores_rivals_on_test(trained, client, monkeypatch):
    chosen = compare.params.load()
    monkeypatch.setattr(compare.params, "load", lambda: chosen.model_copy(update={"architectures": []}))
    compare.main()
    test = reviews.load(trained / "data/raw", trained / "data/tokens", "test")
    rows = json.loads((trained / "reports/comparison.json").read_text())["architectures"]
    assert list(rows) == RIVALS
    for name, row in rows.items():
        said = model.load(trained / "models" / name).logits(test.texts) >= 0
        assert row["test_accuracy"] == accuracy_score(test.labels, said)
        run_id = json.loads((trained / f"reports/train/{name}.json").read_text())["seeds"][0]["run_id"]
        assert client.get_run(run_id).data.metrics["final_test_accuracy"] == row["test_accuracy"]
    with (trained / "reports/comparison.csv").open() as file:
        assert [row["architecture"] for row in csv.DictReader(file)] == RIVALS


def test_an_unknown_rival_is_refused(project, client):
    with pytest.raises(UserError, match="no linear rival svm in params.yaml; there are tfidf_logistic, nb_logistic"):
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
