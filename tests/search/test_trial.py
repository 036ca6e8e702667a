"""Trials with real fits in this process: what is in the study and in MLflow after each."""

from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
import torch
from local_study import BILSTM, PARAMS, WORD_VECTORS, LocalStudy
from optuna.trial import TrialState

from sentiment_rnn import params
from sentiment_rnn.search import trial as trials
from sentiment_rnn.search.space import defaults
from sentiment_rnn.training import pretrained


def test_the_first_trial_is_the_defaults_and_the_best_comes_from_validation(client, tokens):
    local = LocalStudy(client, tokens, n_trials=2, max_epochs=2)
    report = local.run()
    assert {key: report["trials"][0][key] for key in PARAMS.search.space} == {
        key: getattr(BILSTM, key) for key in PARAMS.search.space
    }
    assert report["defaults_validation_loss"] == report["trials"][0]["value"]
    assert report["best_validation_loss"] == min(trial["value"] for trial in report["trials"])
    assert (report["complete"], report["pruned"]) == (2, 0)

    (parent,), children = local.runs()
    assert len(children) == 2
    assert {run.info.status for run in children} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    for run, trial in zip(children, report["trials"], strict=True):
        losses = [metric.value for metric in client.get_metric_history(run.info.run_id, "validation_loss")]
        assert len(losses) == 2
        assert trial["value"] == pytest.approx(min(losses))
        assert run.data.metrics["best_validation_loss"] == trial["value"]
        assert run.data.tags["trial.state"] == "complete"
        assert not any("test" in name for name in run.data.metrics), "test is not used"
        assert {key: float(run.data.params[key]) for key in PARAMS.search.space} == {
            key: trial[key] for key in PARAMS.search.space
        }
    assert not list(Path().rglob("*.ckpt")), "a trial writes no checkpoint"


def test_only_missing_trials_are_run(client, tokens):
    first = LocalStudy(client, tokens, n_trials=1).run()
    assert LocalStudy(client, tokens, n_trials=1).run() == first
    more = LocalStudy(client, tokens, n_trials=2)
    found = more.run()
    assert found["trials"][0] == first["trials"][0]
    assert len(found["trials"]) == 2
    assert len(more.runs()[1]) == 2


def test_a_nested_parameter_has_its_dotted_name_everywhere(client, tokens):
    """In the study, in MLflow, in `best`, which the stage train applies."""
    echo_state = PARAMS.model_of("echo_state")
    leak_rate = params.FloatRange(type="float", low=0.1, high=1.0)
    local = LocalStudy(client, tokens, echo_state, "echo_state", n_trials=2, space={"echo_state.leak_rate": leak_rate})
    report = local.run()
    first, second = report["trials"]
    assert first["echo_state.leak_rate"] == echo_state.echo_state.leak_rate
    assert 0.1 <= second["echo_state.leak_rate"] <= 1.0
    assert first["value"] != second["value"], "the value reaches the model"
    _, children = local.runs()
    assert float(children[1].data.params["echo_state.leak_rate"]) == second["echo_state.leak_rate"]
    assert params.updated(echo_state, report["best"]).echo_state.leak_rate in (
        first["echo_state.leak_rate"], second["echo_state.leak_rate"],
    )  # fmt: skip


def good_trials(local: LocalStudy, count: int) -> None:
    """Add trials so good that the pruner ends a real one after its first epoch."""
    distributions = {
        key: optuna.distributions.FloatDistribution(searched.low, searched.high, log=searched.log)
        for key, searched in PARAMS.search.space.items()
    }
    for number in range(count):
        local.study.add_trial(
            optuna.trial.create_trial(
                params={"learning_rate": 0.002 + number / 1000, "dropout": 0.4},
                distributions=distributions,
                value=0.01,
                intermediate_values={1: 0.01, 2: 0.01},
                user_attrs={"seconds": 0.0},
            )
        )


def test_the_run_of_a_pruned_trial_is_finished_and_tagged(client, tokens):
    local = LocalStudy(client, tokens, n_trials=6, max_epochs=2)
    good_trials(local, 5)
    report = local.run()
    assert (report["complete"], report["pruned"]) == (5, 1)
    assert report["best_validation_loss"] == 0.01
    _, (pruned,) = local.runs()
    assert pruned.info.status == "FINISHED"
    assert pruned.data.tags["trial.state"] == "pruned"
    assert len(client.get_metric_history(pruned.info.run_id, "validation_loss")) == 1
    assert report["trials"][-1]["value"] == pruned.data.metrics["best_validation_loss"]


def test_the_defaults_are_never_pruned(client, tokens):
    local = LocalStudy(client, tokens, n_trials=6, max_epochs=2)
    good_trials(local, 5)
    values = defaults(PARAMS.search.space, BILSTM)
    local.study.enqueue_trial(values)
    local.run()
    assert local.study.get_trials()[-1].params == values
    assert local.study.get_trials()[-1].state is TrialState.COMPLETE


def test_a_diverged_trial_counts_as_finished(client, tokens, monkeypatch):
    LocalStudy(client, tokens, n_trials=1).run()
    local = LocalStudy(client, tokens, n_trials=2)
    with monkeypatch.context() as patch:
        patch.setattr(trials, "math", SimpleNamespace(isfinite=lambda loss: False))
        report = local.run()
    assert [trial["state"] for trial in report["trials"]] == ["COMPLETE", "PRUNED"]
    assert {run.info.status for run in local.runs()[1]} == {"FINISHED"}


def test_a_trial_starts_from_the_word_vectors(client, tokens, monkeypatch):
    started = []
    fit = trials.fit

    def recorded(*arguments, init_state, **others):
        started.append(init_state)
        return fit(*arguments, init_state=init_state, **others)

    monkeypatch.setattr(trials, "fit", recorded)
    model = BILSTM.model_copy(update={"word_vectors": True})
    names = []
    for value in (0.0, 0.01):
        pretrained.save({pretrained.EMBEDDING: torch.full((500, 8), value)}, {}, tokens, WORD_VECTORS)
        local = LocalStudy(client, tokens, model, n_trials=1)
        local.run()
        names.append(local.search.study)
        assert torch.equal(started[-1][pretrained.EMBEDDING], torch.full((300, 8), value))
    assert names[0] != names[1], "other weights are another study"
