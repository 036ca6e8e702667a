"""The experiments of the claims: runs, keys, the language model that they share, the settings of the timing."""

import socket
from pathlib import Path

import claims_project
import numpy as np
import pytest
import torch
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.models import Classifier
from sentiment_rnn.studies.claims import timing
from sentiment_rnn.studies.claims.accuracy import BLOCKS, LANGUAGE_MODEL, block_accuracies
from sentiment_rnn.studies.claims.plan import (
    SAME_WEIGHTS,
    capacity,
    make_plan,
    memory,
    pretrained,
    untrained,
    with_reviews,
)
from sentiment_rnn.studies.claims.summary import from_run, load, save
from sentiment_rnn.studies.experiment import FOLDER, CachedExperiment, Context, finished_runs, mark_killed
from sentiment_rnn.tracking import store


@pytest.fixture
def small(client: MlflowClient, tmp_path: Path, tokens: Path) -> params.Params:
    return claims_project.make_project(tmp_path, tokens)


@pytest.fixture
def context(small: params.Params) -> Context:
    return claims_project.context(small)


def planned(small: params.Params, name: str, seed: int = 1) -> CachedExperiment:
    return make_plan(small).experiments[name].model_copy(update={"seed": seed})


def test_each_kind_is_run_and_found_by_its_key(small: params.Params, context: Context, client: MlflowClient) -> None:
    names = ["lstm", with_reviews(pretrained("mlstm"), 60), memory("rnn", "long-range", 5), untrained("lstm", "torch"),
             capacity(1.0)]  # fmt: skip
    experiments = [planned(small, name) for name in names]
    run_ids = [experiment.run(context) for experiment in experiments]
    found = finished_runs(client, context)
    assert [found[experiment.key(context)].info.run_id for experiment in experiments] == run_ids
    results = {name: from_run(client, found[one.key(context)]) for name, one in zip(names, experiments, strict=True)}
    assert {name: result.name for name, result in results.items()} == {name: name for name in names}

    blocks = list(results["lstm"].series["test_block_accuracy"].values())
    assert len(blocks) == 30  # of the 60 reviews, with two labels
    assert 0 < results["lstm"].metrics["test_accuracy"] < 1
    language_model = results[names[1]].runs[1]
    assert client.get_run(language_model).data.metrics["language_loss"] > 0
    assert found[experiments[1].key(context)].data.tags[LANGUAGE_MODEL] == language_model
    trained = results[names[2]]
    assert trained.metrics["steps"] <= small.claims.memory.max_steps
    assert list(trained.series["error"]) == [0, trained.metrics["steps"]]
    assert list(results[names[3]].series["gradient_norm_initial"]) == [0, 1, 2, 5]
    assert 0 < results[names[4]].metrics["memory_capacity"] < 10

    keyed = {key: from_run(client, run) for key, run in found.items()}
    save(keyed, Path("experiments.jsonl"))
    assert load(Path("experiments.jsonl")) == keyed


def test_a_language_model_is_trained_once_per_seed(small: params.Params, context: Context) -> None:
    first = planned(small, with_reviews(pretrained("mlstm"), 60))
    first.run(context)
    (file,) = Path("work/claims").glob("language-model-*.safetensors")
    written = file.stat().st_mtime_ns
    longer = params.updated(first.model, {"max_epochs": 2, "patience": 2})
    first.model_copy(update={"reviews": 40, "model": longer}).run(context)
    assert file.stat().st_mtime_ns == written
    assert len(list(Path("work/claims").glob("language-model-*.safetensors"))) == 1


def test_the_key_depends_on_all_that_decides_the_metrics(small: params.Params, context: Context) -> None:
    plan = make_plan(small).experiments
    keys = {one.key(context) for one in plan.values()}
    assert len(keys) == len(plan)
    lstm = planned(small, "lstm")
    others = [
        planned(small, "lstm", seed=2),
        lstm.model_copy(update={"reviews": 50}),
        lstm.model_copy(update={"word_vectors_sha256": "of other vectors"}),
        lstm.model_copy(update={"model": params.updated(lstm.model, {"learning_rate": 0.02})}),
    ]
    assert len({one.key(context) for one in [lstm, *others]}) == 5
    assert lstm.model_copy(update={"name": "another name"}).key(context) == lstm.key(context)


def test_one_direction_has_the_weights_of_both(small: params.Params) -> None:
    counts = [
        sum(values.numel() for values in Classifier(**planned(small, name).model.architecture()).encoder.parameters())
        for name in ("bilstm", SAME_WEIGHTS)
    ]
    assert counts[1] == pytest.approx(counts[0], rel=0.1)


def test_the_blocks_have_both_labels_and_cover_the_test_split() -> None:
    labels = np.repeat([0.0, 1.0], 500)
    blocks = block_accuracies(np.arange(1_000) < 500, labels)
    assert blocks == [0.5] * BLOCKS
    correct = np.random.default_rng(1).random(1_000) < 0.8
    assert np.mean(block_accuracies(correct, labels)) == pytest.approx(correct.mean())


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
def test_the_timing_includes_the_first_chosen_gpu(
    chosen: params.Params, monkeypatch: pytest.MonkeyPatch, devices: object, index: int
) -> None:
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda _: "a GPU")
    trainer = chosen.trainer.model_copy(update={"accelerator": "gpu", "devices": devices})
    *cpu, gpu = timing.settings(trainer)
    assert (gpu.device, gpu.label()) == (torch.device("cuda", index), "a GPU, float32")
    assert {setting.device for setting in cpu} == {torch.device("cpu")}
    assert len({setting.label() for setting in timing.settings(chosen.trainer)}) == len(cpu)


def test_the_memory_of_a_step_grows_with_its_tokens(chosen: params.Params) -> None:
    setting = timing.settings(chosen.trainer)[0]
    model = chosen.models["lstm"]
    classifier = Classifier(**model.architecture())
    twice = params.updated(model, {"max_length": 2 * model.max_length})
    once, more = (timing.activation_bytes(classifier, one, setting) for one in (model, twice))
    assert once > model.max_length * model.batch_size * model.embedding_size * 4
    assert more == pytest.approx(2 * once, rel=0.1)
