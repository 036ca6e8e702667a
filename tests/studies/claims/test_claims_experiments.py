"""The trainings of the claims: their runs, their keys, the language model that they share, the device of the timing."""

import shutil
import socket
from pathlib import Path

import pytest
import torch
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.studies.claims.experiment import LANGUAGE_MODEL, Experiment
from sentiment_rnn.studies.claims.plan import last_state, long_range, plan, pretrained, reservoir, with_reviews
from sentiment_rnn.studies.claims.timing import first_device
from sentiment_rnn.studies.experiment import FOLDER, Context, finished_runs, mark_killed
from sentiment_rnn.tracking import store

SHORT = {"max_length": 24, "max_epochs": 1, "vocab_size": 200, "batch_size": 60, "word_vectors": False}
SMALL = {
    "model": SHORT, "reviews": 90, "learning_curve": [60], "min_steps": 1,
    "gradient_steps": 6, "dependency_lengths": [5, 8], "long_range_reviews": 40,
    "spectral_radii": [0.5, 1.0, 2.0], "labeled": [60], "pretraining_reviews": 20,
    "reservoir_model": {"hidden_size": 6}, "long_range_model": {**SHORT, "hidden_size": 4},
}  # fmt: skip


@pytest.fixture
def small(client: MlflowClient, tmp_path: Path, tokens: Path) -> params.Params:
    """Short claims in a project with tokenized reviews and an empty store; the test runs in it."""
    values = shrunk_values()
    values["claims"] |= SMALL
    write_params(values, tmp_path)
    shutil.copytree(tokens, tmp_path / "data/tokens")
    (tmp_path / "work/claims").mkdir(parents=True)
    return params.load()


@pytest.fixture
def context(small: params.Params) -> Context:
    return Context(small.trainer, Path("data/tokens"), Path("work/claims"), "claims")


def planned(small: params.Params, name: str, seed: int = 1) -> Experiment:
    return next(found for found in plan(small) if found.name == name and found.seed == seed)


def test_each_kind_is_run_and_found_by_its_key(small: params.Params, context: Context, client: MlflowClient) -> None:
    names = [
        "lstm", last_state("rnn"), with_reviews("gru", 60), long_range("lstm, chrono initialization", 8),
        reservoir(1.0), pretrained("mlstm", 60),
    ]  # fmt: skip
    experiments = [planned(small, name) for name in names]
    run_ids = {name: experiment.run(context) for name, experiment in zip(names, experiments, strict=True)}
    found = finished_runs(client, context)
    for name, experiment in zip(names, experiments, strict=True):
        run = found[experiment.key(context)]
        assert run.info.run_id == run_ids[name]
        assert 0 <= run.data.metrics["test_accuracy"] <= 1
        assert run.data.tags["experiment"] == name
    history = client.get_metric_history(run_ids[last_state("rnn")], "gradient_norm")
    assert sorted(metric.step for metric in history) == list(range(small.claims.gradient_steps + 1))
    parameters = found[experiments[2].key(context)].data.params
    assert (parameters["reviews"], parameters["cell"]) == ("60", "gru")
    language_model = found[experiments[-1].key(context)].data.tags[LANGUAGE_MODEL]
    assert client.get_run(language_model).data.metrics["language_loss"] > 0
    assert len(found) == len(names)


def test_a_language_model_is_trained_once_per_seed(small: params.Params, context: Context) -> None:
    first = planned(small, pretrained("mlstm", 60))
    first.run(context)
    (file,) = Path("work/claims").glob("language-model-*.safetensors")
    written = file.stat().st_mtime_ns
    longer = params.updated(first.model, {"max_epochs": 2, "patience": 2})
    first.model_copy(update={"reviews": 40, "model": longer}).run(context)
    assert file.stat().st_mtime_ns == written
    assert len(list(Path("work/claims").glob("language-model-*.safetensors"))) == 1
    planned(small, pretrained("mlstm", 60), seed=2).run(context)
    assert len(list(Path("work/claims").glob("language-model-*.safetensors"))) == 2


def test_the_key_depends_on_all_that_decides_the_metrics(small: params.Params, context: Context) -> None:
    lstm = planned(small, "lstm")
    others = [
        planned(small, "lstm", seed=2),
        lstm.model_copy(update={"reviews": 50}),
        lstm.model_copy(update={"model": params.updated(lstm.model, {"learning_rate": 0.02})}),
        planned(small, last_state("lstm")),
        planned(small, long_range("lstm", 5)),
        planned(small, long_range("lstm", 8)),
    ]
    keys = {experiment.key(context) for experiment in [lstm, *others]}
    assert len(keys) == 1 + len(others)
    assert lstm.model_copy(update={"name": "another name"}).key(context) == lstm.key(context)
    assert len({experiment.key(context) for experiment in plan(small)}) == len(plan(small))


def test_a_killed_run_is_marked_and_does_not_count(
    small: params.Params, context: Context, client: MlflowClient
) -> None:
    experiment = store.experiment(client, context.experiment_name())
    own = client.create_run(experiment, tags={FOLDER: f"{socket.gethostname()}:{context.work.resolve()}"})
    other = client.create_run(experiment, tags={FOLDER: "another machine:another clone"})
    # Lightning's logger ends a run with its training: this one was killed before it was evaluated on test
    early = client.create_run(experiment, tags={"experiment": "lstm"})
    client.set_terminated(early.info.run_id)
    mark_killed(client, context)
    assert client.get_run(own.info.run_id).info.status == "KILLED"
    assert client.get_run(other.info.run_id).info.status == "RUNNING"
    assert planned(small, "lstm").key(context) not in finished_runs(client, context)


@pytest.mark.parametrize(("devices", "index"), [([1], 1), ([2, 0], 2), ("auto", 0), (2, 0)])
def test_the_timing_uses_the_first_chosen_gpu(
    chosen: params.Params, monkeypatch: pytest.MonkeyPatch, devices: object, index: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    trainer = chosen.trainer.model_copy(update={"accelerator": "gpu", "devices": devices})
    assert first_device(trainer) == torch.device("cuda", index)
    assert first_device(chosen.trainer) == torch.device("cpu")
