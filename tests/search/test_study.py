"""A real Optuna study with real fits, its MLflow runs, and what becomes of an interrupted one."""

import shutil
from pathlib import Path

import optuna
import pytest
from conftest import shrunk_values
from mlflow import MlflowClient
from optuna.trial import TrialState

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.search import study as searching
from sentiment_rnn.search.study import search
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.fit import resolve_precision

PARAMS = params.Params.model_validate(shrunk_values())
BILSTM = PARAMS.model_of("bilstm")


@pytest.fixture(scope="module")
def empty_store(tmp_path_factory) -> Path:
    """An empty database to copy: making one takes over a second."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        connect()
    return folder / "mlruns"


@pytest.fixture
def client(tmp_path, monkeypatch, empty_store) -> MlflowClient:
    shutil.copytree(empty_store, tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    return connect()


@pytest.fixture
def look(client, tokens):
    """Search bilstm with some of search's parameters changed."""

    def run(work: Path = Path("work"), model: params.ModelParams = BILSTM, **changes) -> dict:
        asked = PARAMS.search.model_copy(update={"min_gain": 0.0, **changes})
        return search("bilstm", model, asked, PARAMS.trainer, tokens=tokens, work=work)

    return run


def opened(client, tokens, **changes) -> optuna.Study:
    """The study that `look` with the same changes would open."""
    asked = PARAMS.search.model_copy(update={"min_gain": 0.0, **changes})
    Path("work").mkdir(exist_ok=True)
    return searching._open_study(
        client, "bilstm", BILSTM, asked, resolve_precision(PARAMS.trainer), load_identity(tokens), Path("work")
    )


def family(client) -> tuple[list, list]:
    """Parent runs and child runs, each in the order of their start."""
    found = client.search_runs([client.get_experiment_by_name("sample-search").experiment_id])
    found = sorted(found, key=lambda run: run.info.start_time)
    children = [run for run in found if "mlflow.parentRunId" in run.data.tags]
    return [run for run in found if run not in children], children


def test_the_first_trial_is_the_defaults_and_the_best_comes_from_validation(client, look):
    report = look(trials=2, max_epochs=2)
    assert {key: report["trials"][0][key] for key in PARAMS.search.space} == {
        key: getattr(BILSTM, key) for key in PARAMS.search.space
    }
    assert report["defaults_validation_loss"] == report["trials"][0]["value"]
    assert report["best_validation_loss"] == min(trial["value"] for trial in report["trials"])
    best = min(report["trials"], key=lambda trial: trial["value"])
    assert report["best"] == {key: best[key] for key in PARAMS.search.space}
    assert (report["complete"], report["pruned"]) == (2, 0)

    (parent,), children = family(client)
    assert len(children) == 2
    assert {run.info.status for run in (parent, *children)} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    assert parent.data.metrics["best_validation_loss"] == report["best_validation_loss"]
    for run, trial in zip(children, report["trials"], strict=True):
        losses = [metric.value for metric in client.get_metric_history(run.info.run_id, "validation_loss")]
        assert len(losses) == 2
        assert trial["value"] == pytest.approx(min(losses))
        assert not any("test" in name for name in run.data.metrics), "test is not read"
        assert {key: float(run.data.params[key]) for key in PARAMS.search.space} == {
            key: trial[key] for key in PARAMS.search.space
        }


def test_values_that_gain_too_little_over_the_defaults_are_not_taken(look):
    assert look(trials=2, min_gain=5.0)["best"] == {}


def test_defaults_outside_the_space_are_left_out_of_the_first_trial(look):
    space = {
        "hidden_size": params.Choices(type="choice", choices=[3, 4]),
        "dropout": params.FloatRange(type="float", low=0.1, high=0.9),
    }
    report = look(trials=1, space=space)
    assert BILSTM.hidden_size not in (3, 4)
    assert report["trials"][0]["hidden_size"] in (3, 4)
    assert report["trials"][0]["dropout"] == BILSTM.dropout
    assert report["defaults_validation_loss"] is None
    assert report["best"], "there are no defaults to gain over"


def test_every_trial_stays_in_the_space(look):
    space = {
        "hidden_size": params.IntRange(type="int", low=3, high=9),
        "cell": params.Choices(type="choice", choices=["rnn", "gru", "lstm"]),
        "learning_rate": params.FloatRange(type="float", low=0.001, high=0.1, log=True),
    }
    trials = look(trials=4, space=space)["trials"]
    assert len(trials) == 4
    for trial in trials:
        assert 3 <= trial["hidden_size"] <= 9
        assert trial["cell"] in ("rnn", "gru", "lstm")
        assert 0.001 <= trial["learning_rate"] <= 0.1
    assert len({trial["learning_rate"] for trial in trials}) == 4


@pytest.mark.parametrize("nothing", ["document", "no trials", "no space"])
def test_where_there_is_nothing_to_search_nothing_is_found(look, nothing):
    if nothing == "document":
        report = look(model=PARAMS.model_of("bilstm_keras"))
    else:
        report = look(**({"trials": 0} if nothing == "no trials" else {"space": {}}))
    assert report == {"architecture": "bilstm", "best": {}, "trials": []}
    assert not Path("work").exists()


def test_a_pruned_trial_leaves_a_finished_run_that_says_so(client, look, tokens):
    study = opened(client, tokens, trials=6, max_epochs=2)
    spaces = {"learning_rate": (1e-4, 1.0), "dropout": (0.0, 0.9)}
    for number in range(5):  # so good that the pruner gives the real one up after its first epoch
        study.add_trial(
            optuna.trial.create_trial(
                params={"learning_rate": 0.002 + number / 1000, "dropout": 0.4},
                distributions={
                    key: optuna.distributions.FloatDistribution(*ends, log=key == "learning_rate")
                    for key, ends in (spaces | {"learning_rate": (1e-3, 1e-2), "dropout": (0.3, 0.6)}).items()
                },
                value=0.01,
                intermediate_values={0: 0.01, 1: 0.01},
            )
        )
    report = look(trials=6, max_epochs=2)
    assert (report["complete"], report["pruned"]) == (5, 1)
    assert report["best_validation_loss"] == 0.01
    (parent,), (pruned,) = family(client)
    assert (parent.info.status, pruned.info.status) == ("FINISHED", "FINISHED")
    assert pruned.data.tags["trial.state"] == "pruned"
    assert len(client.get_metric_history(pruned.info.run_id, "validation_loss")) == 1


def test_an_interrupted_trial_is_closed_and_tried_again(client, look, tokens):
    study = opened(client, tokens, trials=2)
    trial = study.ask()
    searching.suggest(trial, PARAMS.search.space)
    parent = study.user_attrs["run_id"]
    left = runs.start(
        client, "sample-search", "bilstm trial 0", params={}, tags={}, identity=load_identity(tokens), parent=parent
    )
    trial.set_user_attr("run_id", left)
    assert client.get_run(left).info.status == "RUNNING"

    report = look(trials=2)
    assert len(report["trials"]) == 2
    assert [found["state"] for found in report["trials"]] == ["COMPLETE", "COMPLETE"]
    found = opened(client, tokens, trials=2).get_trials()
    assert [entry.state for entry in found] == [TrialState.FAIL, TrialState.COMPLETE, TrialState.COMPLETE]
    assert found[1].params == found[0].params == trial.params
    closed = client.get_run(left)
    assert (closed.info.status, closed.data.tags["trial.state"]) == ("KILLED", "interrupted")
    (only,), children = family(client)
    assert only.info.run_id == parent
    assert sorted(run.info.status for run in children) == ["FINISHED", "FINISHED", "KILLED"]
    assert report["defaults_validation_loss"] == report["trials"][0]["value"], "the defaults are still known as such"


def test_an_interrupted_trial_that_had_drawn_nothing_is_tried_again_too(client, look, tokens):
    opened(client, tokens, trials=1).ask()  # killed between asking and drawing
    report = look(trials=1)
    assert {key: report["trials"][0][key] for key in PARAMS.search.space} == {
        key: getattr(BILSTM, key) for key in PARAMS.search.space
    }


def test_a_study_that_is_done_runs_nothing_and_one_that_wants_more_runs_the_rest(client, look):
    first = look(trials=1)
    assert look(trials=1) == first
    more = look(trials=2)
    assert more["trials"][0] == first["trials"][0]
    assert len(more["trials"]) == 2
    (_,), children = family(client)
    assert len(children) == 2


def test_a_changed_space_is_a_new_study_and_is_said(client, look, capsys):
    look(trials=1)
    assert "this is a new study" not in capsys.readouterr().out
    report = look(trials=1, space={"learning_rate": params.FloatRange(type="float", low=0.001, high=0.2)})
    assert "changed: this is a new study" in capsys.readouterr().out
    assert len(report["trials"]) == 1
    assert set(report["best"]) == {"learning_rate"}
    parents, _ = family(client)
    assert len({run.data.tags["study"] for run in parents}) == 2


def test_a_failing_trial_ends_the_search_and_leaves_no_run_running(client, tokens, tmp_path):
    broken = tmp_path / "tokens"
    shutil.copytree(tokens, broken, ignore=shutil.ignore_patterns("validation"))
    with pytest.raises(UserError, match="validation is not there"):
        search("bilstm", BILSTM, PARAMS.search, PARAMS.trainer, tokens=broken, work=Path("work"))
    (parent,), (child,) = family(client)
    assert (parent.info.status, child.info.status) == ("FAILED", "FAILED")
    assert len(search("bilstm", BILSTM, PARAMS.search, PARAMS.trainer, tokens=tokens, work=Path("work"))["trials"]) == 2
    assert client.get_run(parent.info.run_id).info.status == "FINISHED", "it goes on in the same run"
