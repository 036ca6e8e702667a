"""The stage baseline: a finished run, the model's files, a report; a failed or killed one leaves no model."""

import shutil

import pytest
from conftest import shrunk_values, write_params

from pipeline import baseline
from sentiment_rnn.baselines import model
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.tracking.store import tracking_uri

BASELINES = ["tfidf_logistic", "nb_logistic"]


@pytest.fixture
def tokenized(project, tokens, client):
    """A project after the stage tokenize."""
    shutil.copytree(tokens.parent, project / "data")
    return project


def runs_of(client):
    return client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])


def test_a_baseline_is_a_finished_run_with_its_report(tokenized, client):
    for name in BASELINES:
        baseline.main(name)
    found = {run.data.tags["architecture"]: run for run in runs_of(client)}
    assert set(found) == set(BASELINES)
    for name, run in found.items():
        folder = tokenized / "models/baselines" / name
        report = read_json(f"reports/train/baselines/{name}.json")
        assert (report["architecture"], report["protocol"], report["dataset"]) == (name, "baseline", "synthetic")
        (fitted,) = report["seeds"]
        assert fitted["run_id"] == run.info.run_id
        assert run.info.status == "FINISHED"
        assert run.data.params["C"] == str([candidate["C"] for candidate in fitted["candidates"]])
        assert run.data.metrics["best_validation_loss"] == fitted["validation_loss"]
        assert run.data.metrics["best_validation_accuracy"] == fitted["validation_accuracy"]
        assert run.data.metrics["parameters"] == model.load(folder).parameters
        assert run.data.metrics["train_seconds"] > 0
        assert not [key for key in run.data.metrics if "test" in key], "test is for the comparison"
        assert run.inputs.dataset_inputs[0].dataset.name == "synthetic"
        logged = {file.path for file in client.list_artifacts(run.info.run_id, "model")}
        assert logged == {f"model/{path.name}" for path in folder.iterdir()}


def test_an_unknown_baseline_is_refused(project):
    with pytest.raises(UserError, match=r"no baseline svm in params\.yaml; there are tfidf_logistic, nb_logistic"):
        baseline.main("svm")


def test_a_baseline_that_cannot_be_fitted_leaves_no_model(tokenized, client):
    values = shrunk_values()
    values["baselines"]["nb_logistic"]["min_df"] = 1000
    write_params(values, tokenized)
    with pytest.raises(UserError, match="min_df"):
        baseline.main("nb_logistic")
    assert not (tokenized / "models").exists()
    assert not (tokenized / "reports").exists()
    (run,) = runs_of(client)
    assert run.info.status == "FAILED"


def test_the_run_of_a_killed_stage_does_not_stay_running(tokenized, client):
    baseline.main("nb_logistic")
    (finished,) = runs_of(client)
    killed = client.create_run(finished.info.experiment_id).info.run_id  # a killed process leaves these two
    write_json("work/baseline/nb_logistic.json", {"run_id": killed, "store": tracking_uri()})
    baseline.main("nb_logistic")
    assert client.get_run(killed).info.status == "KILLED"
    assert client.get_run(finished.info.run_id).info.status == "FINISHED"
    assert not list((tokenized / "work").rglob("*.json"))
