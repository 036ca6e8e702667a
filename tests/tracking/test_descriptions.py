"""What MLflow's pages say in words."""

import json

import pytest
from conftest import shrunk_values
from mlflow.utils.validation import MAX_EXPERIMENT_TAG_VAL_LENGTH

from sentiment_rnn import params
from sentiment_rnn.tracking import descriptions, views

TAGS = {"dataset": "sample", "git.dirty": "false", "mlflow.source.git.commit": "0123456789abcdef"}


def test_a_run_says_what_it_is_and_the_command_that_makes_it_again():
    model = params.Params.model_validate(shrunk_values()).model_of("stacked_bilstm").seed_independent()
    said = descriptions.run("stacked_bilstm", model, TAGS | {"reproduce": "dvc repro train@stacked_bilstm"})
    first, again = said.split("\n\n")
    assert first.startswith(
        "**stacked_bilstm** on the generated sample corpus, NOT IMDB: lstm in both directions, 2 lay"
    )
    assert again == "To have it again: `git checkout 0123456789ab && dvc repro train@stacked_bilstm`"


def test_a_trial_is_made_again_by_its_search_and_changed_code_is_owned_up_to():
    tags = TAGS | {"trial": "3", "architecture": "gru", "git.dirty": "true", "mlflow.note.content": "Kept."}
    said = descriptions.run("gru trial 3", {"learning_rate": 0.1}, tags)
    assert "dvc repro search@gru`" in said
    assert said.split("\n\n")[1] == "Kept."
    assert said.endswith("The code that ran differed from that commit.")


def test_an_experiment_of_dvcs_is_made_again_by_its_name():
    tags = TAGS | {"git.dirty": "true", "dvc.experiment": "dedal-pope", "reproduce": "dvc repro train@rnn"}
    said = descriptions.run("rnn", {}, tags)
    assert said.endswith("DVC's experiment `dedal-pope`; to have it again: `dvc exp apply dedal-pope`")


def test_without_git_there_is_no_command_to_promise():
    assert (
        descriptions.run("rnn", {}, {"dataset": "imdb", "git.dirty": "unknown", "reproduce": "x"}) == "**rnn** on IMDB."
    )


def test_a_version_shows_the_figures_that_are_known():
    said = descriptions.version("A film.", {"validation.accuracy": "0.912345", "test.ece": "0.01"})
    assert said.startswith("A film.\n\n| | validation | test |")
    assert "| accuracy | 0.9123 |  |" in said
    assert "| calibration error |  | 0.0100 |" in said


@pytest.mark.parametrize("name", ["imdb", "sample-search"])
def test_a_view_fits_into_a_tag_and_has_a_chart_for_each_place(name):
    tags = views.tags(name)
    assert all(len(value) <= MAX_EXPERIMENT_TAG_VAL_LENGTH for value in tags.values())
    (view,) = (json.loads(value) for key, value in tags.items() if key.startswith(views.PREFIX))
    state = json.loads(view["state"])
    places = [chart["uuid"] for chart in state["compareRunCharts"]]
    assert len(places) == len(set(places)) == 6
    assert state["orderByKey"] in state["selectedColumns"]


def test_other_experiments_say_what_they_are_and_have_no_view():
    assert "claims.md" in views.tags("sample-claims")["mlflow.note.content"]
    assert "NOT IMDB" in views.tags("sample-claims")["mlflow.note.content"]
    assert set(views.tags("somethingelse-new")) == {"mlflow.experimentKind"}
