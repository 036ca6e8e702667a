"""Which study is opened, its MLflow run, its report, and how MLflow's runs are reconciled with it."""

import shutil

import optuna
import pytest
from local_study import BILSTM, PARAMS, LocalStudy
from optuna.trial import TrialState

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.search import study as studies
from sentiment_rnn.search.space import suggest
from sentiment_rnn.search.study import log_result, pruner, report, sampler, sync_mlflow_runs
from sentiment_rnn.tracking import runs


def add(local: LocalStudy, value: float, state=TrialState.COMPLETE, **values) -> optuna.trial.FrozenTrial:
    """Add a finished trial and its open run."""
    local.study.enqueue_trial(values)
    trial = local.study.ask()
    suggest(trial, PARAMS.search.space, BILSTM)
    trial.report(value, 1)
    trial.set_user_attr("seconds", 1.0)
    trial.set_user_attr("fit_seconds", 0.75)
    trial.set_user_attr("run_id", child(local, trial.number))
    local.study.tell(trial, value if state is TrialState.COMPLETE else None, state)
    return local.study.get_trials()[trial.number]


def child(local: LocalStudy, number: int) -> str:
    return runs.start(
        local.client, "synthetic-search", f"trial {number}", params={},
        tags={"architecture": "bilstm", "trial": str(number)}, identity=load_identity(local.search.tokens),
        parent=local.run_id,
    )  # fmt: skip


def statuses(local: LocalStudy) -> dict[str, str]:
    return {run.info.run_name: run.info.status for run in local.runs()[1]}


def test_the_same_parameters_open_the_same_study_and_its_one_run(client, tokens, capsys):
    first = LocalStudy(client, tokens)
    add(first, 0.5)
    second = LocalStudy(client, tokens, n_trials=9, min_improvement=0.3, workers=2)
    assert (second.search.study, second.run_id) == (first.search.study, first.run_id)
    assert len(second.runs()[0]) == 1
    output = capsys.readouterr().out
    assert "1 trials finished" in output
    assert "new study" not in output


@pytest.mark.parametrize(
    "changes",
    [
        {"space": {"learning_rate": params.FloatRange(type="float", low=0.001, high=0.2)}},
        {"max_epochs": 2},
        {"pruner": "none"},
        {"model": PARAMS.model_of("bigru")},
    ],
)
def test_another_space_or_model_is_reported_as_a_new_study(client, tokens, capsys, changes):
    first = LocalStudy(client, tokens)
    first.study.ask().set_user_attr("run_id", child(first, 0))  # killed since
    second = LocalStudy(client, tokens, **changes)
    assert second.search.study != first.search.study
    assert "changed: this is a new study" in capsys.readouterr().out
    parents, children = second.runs()
    assert len(parents) == 2
    assert [run.info.status for run in parents] == ["KILLED", "RUNNING"]
    assert [run.info.status for run in children] == ["KILLED"], "the replaced study's runs are closed"


@pytest.mark.parametrize("what", ["data", "code", "precision"])
def test_other_data_or_code_is_a_new_study(client, tokens, monkeypatch, what):
    first = LocalStudy(client, tokens)
    if what == "data":
        other = load_identity(tokens) | {"tokens": "0" * 64}
        monkeypatch.setattr(studies, "load_identity", lambda folder: other)
    elif what == "code":
        monkeypatch.setattr(studies, "_code_hash", lambda: "0" * 64)
    else:
        monkeypatch.setattr(studies, "resolve_precision", lambda trainer: "64-true")
    assert LocalStudy(client, tokens).search.study != first.search.study


def test_a_run_that_was_created_but_not_recorded_is_found(client, tokens, monkeypatch):
    def killed(self, key, value, original=optuna.Study.set_user_attr):
        if key == "run_id":
            raise KeyboardInterrupt
        original(self, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(optuna.Study, "set_user_attr", killed)
        with pytest.raises(KeyboardInterrupt):
            LocalStudy(client, tokens)
    local = LocalStudy(client, tokens)
    (only,), _ = local.runs()
    assert local.run_id == only.info.run_id


def test_a_study_in_an_emptied_storage_has_a_new_run(client, tokens):
    first = LocalStudy(client, tokens)
    add(first, 0.5)
    shutil.rmtree("work")
    second = LocalStudy(client, tokens)
    assert second.search.study == first.search.study
    assert second.run_id != first.run_id
    sync_mlflow_runs(client, second.study)
    assert statuses(second) == {"trial 0": "RUNNING"}, "runs of the other study stay as they are"


def test_without_a_complete_trial_the_defaults_are_used(client, tokens):
    local = LocalStudy(client, tokens)
    trial = local.study.ask()
    trial.set_user_attr("seconds", 1.0)
    local.study.tell(trial, state=TrialState.PRUNED)
    found = report(local.search, local.study)
    assert (found["best"], found["best_validation_loss"], found["pruned"]) == ({}, None, 1)
    assert found["summary"] == "every trial was pruned or diverged: the defaults are used"
    log_result(client, local.study)
    assert client.get_run(local.run_id).data.metrics == {"trials": 1}


def test_a_study_whose_run_was_deleted_gets_another(client, tokens):
    first = LocalStudy(client, tokens)
    client.delete_run(first.run_id)
    second = LocalStudy(client, tokens)
    assert second.run_id != first.run_id


def test_sampled_values_depend_on_the_trial_not_on_the_process(client, tokens):
    local = LocalStudy(client, tokens)
    add(local, 0.5, learning_rate=0.004, dropout=0.4)

    def sample(number: int) -> float:
        return sampler(local.search, number).sample_independent(
            local.study, local.study.get_trials()[0], "dropout", optuna.distributions.FloatDistribution(0.3, 0.6)
        )

    assert sample(1) == sample(1)
    assert sample(1) != sample(2)


@pytest.mark.parametrize(
    ("name", "epochs", "kind"),
    [
        ("none", 4, optuna.pruners.NopPruner),
        ("median", 4, optuna.pruners.MedianPruner),
        ("hyperband", 4, optuna.pruners.HyperbandPruner),
        ("hyperband", 1, optuna.pruners.NopPruner),
    ],
)
def test_the_pruner_is_the_configured_one(client, tokens, name, epochs, kind):
    values = BILSTM.model_copy(update={"max_epochs": epochs})
    local = LocalStudy(client, tokens)
    search = local.search.model_copy(
        update={"model": values, "params": local.search.params.model_copy(update={"pruner": name, "max_epochs": 9})}
    )
    assert type(pruner(search)) is kind


def test_the_report(client, tokens):
    local = LocalStudy(client, tokens)
    add(local, 0.50, learning_rate=BILSTM.learning_rate, dropout=BILSTM.dropout)
    add(local, 0.60, TrialState.PRUNED, learning_rate=0.002, dropout=0.4)
    add(local, 0.48, learning_rate=0.004, dropout=0.4)
    found = report(local.search, local.study)
    assert found["best"] == {"learning_rate": 0.004, "dropout": 0.4}
    losses = "(validation loss 0.4800, the defaults 0.5000)"
    assert found["summary"] == f"trial 2 is better than the defaults by 0.0200 {losses}: its values are used"
    assert (found["best_validation_loss"], found["defaults_validation_loss"]) == (0.48, 0.50)
    assert (found["complete"], found["pruned"], found["seconds"]) == (2, 1, 3.0)
    assert [(row["number"], row["state"], row["value"]) for row in found["trials"]] == [
        (0, "COMPLETE", 0.5),
        (1, "PRUNED", 0.6),
        (2, "COMPLETE", 0.48),
    ]
    stricter = local.search.model_copy(
        update={"params": local.search.params.model_copy(update={"min_improvement": 0.03})}
    )
    found = report(stricter, local.study)
    assert found["best"] == {}
    assert "better than the defaults by 0.0200" in found["summary"]
    assert found["summary"].endswith("less than search.min_improvement (0.03): the defaults are used")

    log_result(client, local.study)
    log_result(client, local.study)
    run = client.get_run(local.run_id)
    assert run.data.metrics == {"best_validation_loss": 0.48, "trials": 3}
    assert (run.data.tags["best.learning_rate"], run.data.tags["best.dropout"]) == ("0.004", "0.4")


def test_where_the_defaults_are_best_the_summary_tells_so(client, tokens):
    local = LocalStudy(client, tokens)
    add(local, 0.48, learning_rate=BILSTM.learning_rate, dropout=BILSTM.dropout)
    add(local, 0.50, learning_rate=0.004, dropout=0.4)
    summary = report(local.search, local.study)["summary"]
    assert summary == "no trial is better than the defaults (validation loss 0.4800): the defaults are used"


def test_without_a_trial_of_the_defaults_the_best_values_are_used(client, tokens):
    local = LocalStudy(client, tokens)
    add(local, 0.5, learning_rate=0.002, dropout=0.4)
    found = report(local.search, local.study)
    assert found["defaults_validation_loss"] is None
    assert found["best"] == {"learning_rate": 0.002, "dropout": 0.4}


def test_mlflow_runs_are_reconciled_with_the_study(client, tokens):
    local = LocalStudy(client, tokens)
    for value, state in ((0.5, TrialState.COMPLETE), (0.6, TrialState.PRUNED)):
        add(local, value, state)  # killed before the run was ended
    local.study.tell(local.study.ask(), state=TrialState.FAIL)
    alive = local.study.ask()
    open_runs = {number: child(local, number) for number in (2, 3)}
    alive.set_user_attr("run_id", open_runs[3])
    doubled = child(local, 3)  # the store's response was lost, and the run was created again
    not_recorded = child(local, 2)
    assert set(statuses(local).values()) == {"RUNNING"}

    sync_mlflow_runs(client, local.study)
    assert statuses(local) == {"trial 0": "FINISHED", "trial 1": "FINISHED", "trial 2": "KILLED", "trial 3": "RUNNING"}
    assert client.get_run(doubled).info.lifecycle_stage == "deleted"
    assert client.get_run(not_recorded).data.tags["trial.state"] == "interrupted"
    assert client.get_run(open_runs[3]).info.status == "RUNNING"
    runs = {run.info.run_name: run.data for run in local.runs()[1]}
    states = {name: data.tags.get("trial.state") for name, data in runs.items()}
    assert states == {"trial 0": "complete", "trial 1": "pruned", "trial 2": "interrupted", "trial 3": None}
    assert runs["trial 0"].metrics == {"best_validation_loss": 0.5, "fit_seconds": 0.75}
