"""Trials with real fits, run in this process: what the study and MLflow are told of each."""

from pathlib import Path
from types import SimpleNamespace

import optuna
import pytest
import torch
from bench import PARAMS, Bench
from optuna.trial import TrialState

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.search import leases
from sentiment_rnn.search import trial as trials
from sentiment_rnn.search.trial import run_trial

BILSTM = PARAMS.model_of("bilstm")


def test_the_first_trial_is_the_defaults_and_the_best_comes_from_validation(client, tokens):
    bench = Bench(client, tokens, trials=2, max_epochs=2)
    report = bench.run()
    assert {key: report["trials"][0][key] for key in PARAMS.search.space} == {
        key: getattr(BILSTM, key) for key in PARAMS.search.space
    }
    assert report["defaults_validation_loss"] == report["trials"][0]["value"]
    assert report["best_validation_loss"] == min(trial["value"] for trial in report["trials"])
    assert (report["complete"], report["pruned"]) == (2, 0)

    (parent,), children = bench.family()
    assert len(children) == 2
    assert {run.info.status for run in children} == {"FINISHED"}
    assert {run.data.tags["mlflow.parentRunId"] for run in children} == {parent.info.run_id}
    for run, trial in zip(children, report["trials"], strict=True):
        losses = [metric.value for metric in client.get_metric_history(run.info.run_id, "validation_loss")]
        assert len(losses) == 2
        assert trial["value"] == pytest.approx(min(losses))
        assert run.data.metrics["best_validation_loss"] == trial["value"]
        assert run.data.tags["trial.state"] == "complete"
        assert not any("test" in name for name in run.data.metrics), "test is not read"
        assert {key: float(run.data.params[key]) for key in PARAMS.search.space} == {
            key: trial[key] for key in PARAMS.search.space
        }
    assert not list(Path().rglob("*.ckpt")), "a trial keeps no checkpoint"


def test_a_study_that_is_done_runs_nothing_and_one_that_wants_more_runs_the_rest(client, tokens):
    first = Bench(client, tokens, trials=1).run()
    assert Bench(client, tokens, trials=1).run() == first
    more = Bench(client, tokens, trials=2)
    found = more.run()
    assert found["trials"][0] == first["trials"][0]
    assert len(found["trials"]) == 2
    assert len(more.family()[1]) == 2


def test_every_trial_stays_in_the_space(client, tokens):
    space = {
        "hidden_size": params.IntRange(type="int", low=3, high=9),
        "cell": params.Choices(type="choice", choices=["rnn", "gru", "lstm"]),
        "dropout": params.FloatRange(type="float", low=0.1, high=0.2, when={"cell": ["gru"]}),
    }
    found = Bench(client, tokens, trials=6, space=space).run()["trials"]
    assert len(found) == 6
    for trial in found:
        assert 3 <= trial["hidden_size"] <= 9
        assert trial["cell"] in ("rnn", "gru", "lstm")
        assert ("dropout" in trial) == (trial["cell"] == "gru")
    assert len({trial["cell"] for trial in found}) > 1


def good_trials(bench: Bench, count: int) -> None:
    """Trials so good that a pruner gives a real one up after its first epoch."""
    distributions = {
        key: optuna.distributions.FloatDistribution(drawn.low, drawn.high, log=drawn.log)
        for key, drawn in PARAMS.search.space.items()
    }
    for number in range(count):
        bench.study.add_trial(
            optuna.trial.create_trial(
                params={"learning_rate": 0.002 + number / 1000, "dropout": 0.4},
                distributions=distributions,
                value=0.01,
                intermediate_values={1: 0.01, 2: 0.01},
                user_attrs={"seconds": 0.0, "claims": None if number else "start"},
            )
        )


def test_a_pruned_trial_leaves_a_finished_run_that_says_so(client, tokens):
    bench = Bench(client, tokens, trials=6, max_epochs=2)
    good_trials(bench, 5)
    report = bench.run()
    assert (report["complete"], report["pruned"]) == (5, 1)
    assert report["best_validation_loss"] == 0.01
    _, (pruned,) = bench.family()
    assert pruned.info.status == "FINISHED"
    assert pruned.data.tags["trial.state"] == "pruned"
    assert len(client.get_metric_history(pruned.info.run_id, "validation_loss")) == 1
    assert report["trials"][-1]["value"] == pruned.data.metrics["best_validation_loss"]


def test_the_defaults_are_never_pruned(client, tokens):
    bench = Bench(client, tokens, trials=6, max_epochs=2)
    good_trials(bench, 5)
    claimed = leases.claim(bench.study, bench.storage, 6, {})
    bench.storage.set_trial_system_attr(
        claimed._trial_id, "fixed_params", {"learning_rate": BILSTM.learning_rate, "dropout": BILSTM.dropout}
    )
    run_trial(client, bench.storage, bench.search, claimed)
    assert bench.study.get_trials()[claimed.number].state is TrialState.COMPLETE


def test_a_diverged_trial_is_finished_and_counts(client, tokens, monkeypatch):
    bench = Bench(client, tokens, trials=2)
    run_trial(client, bench.storage, bench.search, leases.claim(bench.study, bench.storage, 2, {}))
    with monkeypatch.context() as patch:
        patch.setattr(trials, "math", SimpleNamespace(isfinite=lambda loss: False))
        report = bench.run()
    assert [trial["state"] for trial in report["trials"]] == ["COMPLETE", "PRUNED"]
    assert {run.info.status for run in bench.family()[1]} == {"FINISHED"}


def test_a_trial_that_was_thought_dead_is_given_away(client, tokens, monkeypatch):
    class Late(trials.Reporting):
        def on_validation_end(self, trainer, module):
            leases.fail(bench.storage, claimed)  # as another machine does that heard nothing of it
            super().on_validation_end(trainer, module)

    bench = Bench(client, tokens, trials=1)
    claimed = leases.claim(bench.study, bench.storage, 1, {})
    with monkeypatch.context() as patch:
        patch.setattr(trials, "Reporting", Late)
        run_trial(client, bench.storage, bench.search, claimed)
    (lost,) = bench.family()[1]
    assert lost.info.status == "KILLED"
    report = bench.run()
    assert [trial["state"] for trial in report["trials"]] == ["COMPLETE"]
    assert bench.study.get_trials()[1].params == bench.study.get_trials()[0].params


def test_a_failing_trial_ends_the_work_and_its_values_are_tried_again(client, tokens, monkeypatch):
    def broken(*arguments, **named):
        raise UserError("validation is not there")

    bench = Bench(client, tokens, trials=1)
    with monkeypatch.context() as patch:
        patch.setattr(trials, "fit", broken)
        with pytest.raises(UserError, match="validation is not there"):
            bench.run()
    (failed,) = bench.family()[1]
    assert failed.info.status == "FAILED"
    assert bench.run()["complete"] == 1
    first, again = bench.study.get_trials()
    assert (first.state, again.params) == (TrialState.FAIL, first.params)


def test_a_trial_of_a_pretrained_model_starts_from_what_was_learned(client, tokens, monkeypatch):
    folder, started = Path("data/pretrained/best"), []
    fit = trials.fit

    def watched(*arguments, start, **others):
        started.append(start)
        return fit(*arguments, start=start, **others)

    monkeypatch.setattr(trials, "fit", watched)
    studied = []
    for value in (0.0, 0.01):
        weights.save({weights.EMBEDDING: torch.full((500, 8), value)}, {"kind": "vectors"}, tokens, folder)
        bench = Bench(client, tokens, "best", trials=1)
        bench.run()
        studied.append(bench.search.study)
        assert torch.equal(started[-1][weights.EMBEDDING], torch.full((300, 8), value))
    assert studied[0] != studied[1], "other weights are another study"
    Bench(client, tokens, trials=1).run()
    assert started[-1] is None
