"""Which study is opened, its MLflow run, what it reports, and how MLflow is made to follow it."""

import shutil
import threading

import optuna
import pytest
from bench import PARAMS, Bench
from optuna.trial import TrialState

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.search import leases
from sentiment_rnn.search import study as studies
from sentiment_rnn.search.study import follow, load_study, log_result, report
from sentiment_rnn.tracking import runs


def add(bench: Bench, value: float, state=TrialState.COMPLETE, **values) -> optuna.trial.FrozenTrial:
    """A trial that has ended, and its run, as a worker leaves them."""
    trial = leases.claim(bench.study, bench.storage, 99, values)
    drawn = optuna.trial.Trial(bench.study, trial._trial_id)
    for name, chosen in PARAMS.search.space.items():
        if values:
            bench.storage.set_trial_system_attr(trial._trial_id, "fixed_params", values)
        drawn._fixed_params = values
        drawn.suggest_float(name, chosen.low, chosen.high, log=chosen.log)
    drawn.set_user_attr("seconds", 1.0)
    drawn.set_user_attr("run_id", child(bench, trial.number))
    bench.storage.set_trial_state_values(trial._trial_id, state, [value])
    return trial


def child(bench: Bench, number: int) -> str:
    return runs.start(
        bench.client, "sample-search", f"trial {number}", params={},
        tags={"architecture": "bilstm", "trial": str(number)}, identity=load_identity(bench.search.tokens),
        parent=bench.search.run_id,
    )  # fmt: skip


def statuses(bench: Bench) -> dict[str, str]:
    return {run.info.run_name: run.info.status for run in bench.family()[1]}


def test_the_same_parameters_open_the_same_study_and_its_one_run(client, tokens, capsys):
    first = Bench(client, tokens)
    add(first, 0.5)
    second = Bench(client, tokens, trials=9, min_improvement=0.3, workers=2)
    assert (second.search.study, second.search.run_id) == (first.search.study, first.search.run_id)
    assert len(second.family()[0]) == 1
    said = capsys.readouterr().out
    assert "1 trials done" in said
    assert "new study" not in said


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"learning_rate": params.FloatRange(type="float", low=0.001, high=0.2)}},
        {"max_epochs": 2},
        {"pruner": "none"},
        {"model": "bigru"},
    ],
)
def test_another_space_or_model_is_a_new_study_and_is_said(client, tokens, capsys, changes):
    first = Bench(client, tokens)
    trial = leases.claim(first.study, first.storage, 9, {})
    first.storage.set_trial_user_attr(trial._trial_id, "run_id", child(first, 0))
    first.storage.set_trial_user_attr(trial._trial_id, "owner", leases.myself() | {"born": 0.0})  # killed since
    second = Bench(client, tokens, **changes)
    assert second.search.study != first.search.study
    assert "changed: this is a new study" in capsys.readouterr().out
    parents, children = second.family()
    assert len(parents) == 2
    assert [run.info.status for run in parents] == ["KILLED", "RUNNING"]
    assert [run.info.status for run in children] == ["KILLED"], "what the old one left open is closed"


@pytest.mark.parametrize("what", ["data", "code", "precision"])
def test_other_data_or_code_is_a_new_study(client, tokens, monkeypatch, what):
    first = Bench(client, tokens)
    if what == "data":
        other = load_identity(tokens) | {"tokens": "0" * 64}
        monkeypatch.setattr(studies, "load_identity", lambda folder: other)
    elif what == "code":
        monkeypatch.setattr(studies, "_code", lambda: "0" * 64)
    else:
        monkeypatch.setattr(studies, "resolve_precision", lambda trainer: "64-true")
    assert Bench(client, tokens).search.study != first.search.study


def test_a_run_that_was_made_but_not_noted_is_found_again(client, tokens, monkeypatch):
    def killed(self, key, value, note=optuna.Study.set_user_attr):
        if key == "run_id":
            raise KeyboardInterrupt
        note(self, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "set_user_attr", killed)
        with pytest.raises(KeyboardInterrupt):
            Bench(client, tokens)
    monkeypatch.setattr(studies, "PATIENCE_WITH_ITS_MAKER", 0.0)
    bench = Bench(client, tokens)
    (only,), _ = bench.family()
    assert bench.search.run_id == bench.study.user_attrs["run_id"] == only.info.run_id


def test_a_machine_that_joins_waits_for_the_run_of_the_one_that_began(client, tokens):
    first = Bench(client, tokens)
    run_id = first.search.run_id
    name = first.search.study
    first.study.set_user_attr("run_id", None)
    first.storage.delete_study(first.storage.get_study_id_from_name(name))
    begun = optuna.create_study(storage=first.storage, study_name=name)
    begun.set_user_attr("token", "another")
    note = threading.Timer(1.0, begun.set_user_attr, ("run_id", run_id))
    note.start()
    assert Bench(client, tokens).search.run_id == run_id
    note.join()


def test_a_study_begun_anew_has_a_run_of_its_own(client, tokens):
    first = Bench(client, tokens)
    add(first, 0.5)
    shutil.rmtree("work")
    second = Bench(client, tokens)
    assert second.search.study == first.search.study
    assert second.search.run_id != first.search.run_id
    follow(client, second.study)
    assert statuses(second) == {"trial 0": "RUNNING"}, "what is not its own is left alone"


def test_where_every_trial_diverged_nothing_is_found(client, tokens):
    bench = Bench(client, tokens)
    trial = leases.claim(bench.study, bench.storage, 1, {})
    bench.storage.set_trial_user_attr(trial._trial_id, "seconds", 1.0)
    bench.storage.set_trial_state_values(trial._trial_id, TrialState.PRUNED, None)
    found = report(bench.search, bench.study)
    assert (found["best"], found["best_validation_loss"], found["pruned"]) == ({}, None, 1)
    log_result(client, bench.search.run_id, bench.study)
    assert client.get_run(bench.search.run_id).data.metrics == {"trials": 1}


def test_a_study_whose_run_is_gone_gets_another(client, tokens):
    first = Bench(client, tokens)
    client.delete_run(first.search.run_id)
    second = Bench(client, tokens)
    assert second.search.run_id != first.search.run_id
    assert second.study.user_attrs["run_id"] == second.search.run_id


def test_what_is_drawn_depends_on_the_trial_and_not_on_the_process(client, tokens):
    bench = Bench(client, tokens)
    add(bench, 0.5, learning_rate=0.004, dropout=0.4)

    def draw(number: int) -> float:
        study = load_study(bench.storage, bench.search, number)
        return study.sampler.sample_independent(
            study, study.get_trials()[0], "dropout", optuna.distributions.FloatDistribution(0.3, 0.6)
        )

    assert draw(1) == draw(1)
    assert draw(1) != draw(2)


@pytest.mark.parametrize(
    ("pruner", "epochs", "kind"),
    [
        ("none", 4, optuna.pruners.NopPruner),
        ("median", 4, optuna.pruners.MedianPruner),
        ("hyperband", 4, optuna.pruners.HyperbandPruner),
        ("hyperband", 1, optuna.pruners.NopPruner),
    ],
)
def test_the_pruner_is_the_one_that_was_named(client, tokens, pruner, epochs, kind):
    values = PARAMS.model_of("bilstm").model_copy(update={"max_epochs": epochs})
    bench = Bench(client, tokens)
    search = bench.search.model_copy(
        update={"model": values, "params": bench.search.params.model_copy(update={"pruner": pruner, "max_epochs": 9})}
    )
    assert type(load_study(bench.storage, search, 0).pruner) is kind


def test_the_report(client, tokens):
    bench = Bench(client, tokens)
    bilstm = PARAMS.model_of("bilstm")
    add(bench, 0.50, learning_rate=bilstm.learning_rate, dropout=bilstm.dropout)
    add(bench, 0.60, TrialState.PRUNED, learning_rate=0.002, dropout=0.4)
    add(bench, 0.48, learning_rate=0.004, dropout=0.4)
    found = report(bench.search, bench.study)
    assert found["best"] == {"learning_rate": 0.004, "dropout": 0.4}
    assert (found["best_validation_loss"], found["defaults_validation_loss"]) == (0.48, 0.50)
    assert (found["complete"], found["pruned"], found["seconds"]) == (2, 1, 3.0)
    assert [(row["number"], row["state"], row["value"]) for row in found["trials"]] == [
        (0, "COMPLETE", 0.5),
        (1, "PRUNED", 0.6),
        (2, "COMPLETE", 0.48),
    ]
    wants_more = bench.search.model_copy(
        update={"params": bench.search.params.model_copy(update={"min_improvement": 0.03})}
    )
    assert report(wants_more, bench.study)["best"] == {}, "the gain is too small"

    log_result(client, bench.search.run_id, bench.study)
    log_result(client, bench.search.run_id, bench.study)
    run = client.get_run(bench.search.run_id)
    assert run.data.metrics == {"best_validation_loss": 0.48, "trials": 3}
    assert (run.data.tags["best.learning_rate"], run.data.tags["best.dropout"]) == ("0.004", "0.4")


def test_where_no_trial_is_the_defaults_the_best_is_taken(client, tokens):
    bench = Bench(client, tokens)
    add(bench, 0.5, learning_rate=0.002, dropout=0.4)
    found = report(bench.search, bench.study)
    assert found["defaults_validation_loss"] is None
    assert found["best"] == {"learning_rate": 0.002, "dropout": 0.4}


def test_mlflow_follows_the_study(client, tokens):
    bench = Bench(client, tokens)
    for value, state in ((0.5, TrialState.COMPLETE), (0.6, TrialState.PRUNED)):
        add(bench, value, state)  # killed after the study was told, before MLflow was
    leases.claim(bench.study, bench.storage, 9, {})  # given up by the next claim of this process
    alive = leases.claim(bench.study, bench.storage, 9, {})
    open_runs = {number: child(bench, number) for number in (2, 3)}
    bench.storage.set_trial_user_attr(alive._trial_id, "run_id", open_runs[3])
    doubled = child(bench, 3)  # the store's answer was lost, and the run was made again
    not_noted = child(bench, 2)
    assert set(statuses(bench).values()) == {"RUNNING"}

    follow(client, bench.study)
    assert statuses(bench) == {"trial 0": "FINISHED", "trial 1": "FINISHED", "trial 2": "KILLED", "trial 3": "RUNNING"}
    assert client.get_run(doubled).info.lifecycle_stage == "deleted"
    assert client.get_run(not_noted).data.tags["trial.state"] == "interrupted"
    assert client.get_run(open_runs[3]).info.status == "RUNNING", "its owner lives"
    states = {run.info.run_name: run.data.tags.get("trial.state") for run in bench.family()[1]}
    assert states == {"trial 0": "complete", "trial 1": "pruned", "trial 2": "interrupted", "trial 3": None}
