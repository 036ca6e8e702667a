"""Descriptions and views on MLflow's pages."""

import json

import pytest
from conftest import shrunk_values
from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

from sentiment_rnn import params
from sentiment_rnn.tracking import descriptions, views

TAGS = {"dataset": "synthetic", "git.dirty": "false", "mlflow.source.git.commit": "0123456789abcdef"}


def test_a_run_is_described_with_the_command_that_reproduces_it():
    model = params.Params.model_validate(shrunk_values()).model_of("stacked_bilstm").seed_independent()
    text = descriptions.run("stacked_bilstm", model, TAGS | {"reproduce": "dvc repro train@stacked_bilstm"})
    first, command = text.split("\n\n")
    assert first.startswith(
        "**stacked_bilstm** on synthetic reviews (NOT IMDB): bidirectional lstm, 2 layers of 6 units"
    )
    assert command == "To reproduce it: `git checkout 0123456789ab && dvc repro train@stacked_bilstm`"


def test_a_trial_is_reproduced_by_its_search_and_changed_code_is_mentioned():
    tags = TAGS | {"trial": "3", "architecture": "gru", "git.dirty": "true", "mlflow.note.content": "A note."}
    text = descriptions.run("gru trial 3", {"learning_rate": 0.1}, tags)
    assert "dvc repro search@gru`" in text
    assert text.split("\n\n")[1] == "A note."
    assert text.endswith("The code had uncommitted changes.")


def test_an_experiment_of_dvc_is_reproduced_by_its_name():
    tags = TAGS | {"git.dirty": "true", "dvc.experiment": "dedal-pope", "reproduce": "dvc repro train@rnn"}
    text = descriptions.run("rnn", {}, tags)
    assert text.endswith("To reproduce it (DVC experiment `dedal-pope`): `dvc exp apply dedal-pope`")


def test_without_git_there_is_no_command():
    tags = {"dataset": "imdb", "git.dirty": "unknown", "reproduce": "x"}
    assert descriptions.run("rnn", {}, tags) == "**rnn** on IMDB."


def test_a_version_shows_its_metrics():
    text = descriptions.version("A film.", {"dataset": "imdb", "validation.accuracy": "0.912345", "test.ece": "0.01"})
    assert text.startswith("A film.\n\n| | validation | test |")
    assert "| accuracy | 0.9123 |  |" in text
    assert "| expected calibration error |  | 0.0100 |" in text


def test_a_version_has_a_model_card_with_its_failure_rates_and_limits():
    tags = {"dataset": "synthetic", "behaviour.groups_of_people": "0.0512", "behaviour.negation": "0.25"}
    text = descriptions.version("A film.", tags)
    assert "**For** texts like those of synthetic reviews (NOT IMDB)" in text
    assert "**Not for** other languages" in text
    assert "| groups of people | 5.1 |\n| negation | 25.0 |" in text
    assert "short texts" not in text
    rates = {"short_texts.accuracy": "0.8", "short_texts.mean_confidence": "0.9"}
    text = descriptions.version("A film.", tags | rates)
    assert text.endswith("it is right 80.0% of the time, at a mean confidence of 90.0%.")


@pytest.mark.parametrize("name", ["imdb", "synthetic-search", "my-own-reviews"])
def test_a_view_fits_into_a_tag_and_each_chart_has_its_own_id(name):
    tags = views.tags(name)
    assert all(len(value) <= MAX_EXPERIMENT_TAG_VAL_LENGTH for value in tags.values())
    (view,) = (json.loads(value) for key, value in tags.items() if key.startswith(views.PREFIX))
    state = json.loads(view["state"])
    ids = [chart["uuid"] for chart in state["compareRunCharts"]]
    assert len(ids) == len(set(ids)) == 6
    assert state["orderByKey"] in state["selectedColumns"]


def test_an_experiment_of_a_study_is_described_and_has_no_view():
    tags = views.tags("synthetic-claims")
    assert tags.keys() == {"mlflow.experimentKind", "mlflow.note.content"}
    assert tags["mlflow.note.content"] == "The trainings of `reports/claims.md`, on synthetic reviews (NOT IMDB)."
