import multiprocessing
import shutil
import socket
from pathlib import Path

import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.studies.claims.experiment import LANGUAGE_MODEL, Experiment
from sentiment_rnn.studies.claims.plan import few, last, plan, pretrained, reservoir, spaced
from sentiment_rnn.studies.experiment import FOLDER, Context, done, mark_killed
from sentiment_rnn.studies.pool import run_all
from sentiment_rnn.tracking import store

SHORT = {"max_length": 24, "max_epochs": 1, "vocab_size": 200, "batch_size": 60}
SMALL = {
    "model": SHORT, "reviews": 90, "learning_curve": [60], "min_steps": 1,
    "gradient_steps": 6, "distances": [5, 8], "distance_reviews": 40,
    "spectral_radii": [0.5, 1.0, 2.0], "labelled": [60], "pretraining_reviews": 20,
    "reservoir_model": {"hidden_size": 6}, "distance_model": {**SHORT, "hidden_size": 4},
}  # fmt: skip


@pytest.fixture
def small(client: MlflowClient, tmp_path: Path, tokens: Path) -> params.Params:
    """A project with short claims, tokenized reviews and an empty store; the test runs in it."""
    values = shrunk_values()
    values["claims"] |= SMALL
    write_params(values, tmp_path)
    shutil.copytree(tokens, tmp_path / "data/tokens")
    (tmp_path / "work/claims").mkdir(parents=True)
    return params.load()


@pytest.fixture
def context(small: params.Params) -> Context:
    return Context(small.trainer, Path("data/tokens"), Path("work/claims"), "claims")


def named(chosen: params.Params, name: str, seed: int = 1) -> Experiment:
    return next(found for found in plan(chosen) if found.name == name and found.seed == seed)


def test_every_kind_runs_and_is_found_again_by_its_key(
    small: params.Params, context: Context, client: MlflowClient
) -> None:
    language = pretrained("mlstm", 60)
    names = ["lstm", last("rnn"), few("gru", 60), spaced("lstm, open gates", 8), reservoir(1.0), language]
    experiments = [named(small, name) for name in names]
    run_ids = {name: experiment.run(context) for name, experiment in zip(names, experiments, strict=True)}
    found = done(client, context)
    for name, experiment in zip(names, experiments, strict=True):
        finished = found[experiment.key(context)]
        assert finished.info.run_id == run_ids[name]
        assert 0 <= finished.data.metrics["test_accuracy"] <= 1
        assert finished.data.tags["experiment"] == name
    history = client.get_metric_history(run_ids[last("rnn")], "gradient_norm")
    assert sorted(point.step for point in history) == list(range(small.claims.gradient_steps + 1))
    trained = found[named(small, few("gru", 60)).key(context)].data.params
    assert (trained["reviews"], trained["cell"]) == ("60", "gru")
    language_model = found[experiments[-1].key(context)].data.tags[LANGUAGE_MODEL]
    assert client.get_run(language_model).data.metrics["language_loss"] > 0
    assert len(found) == len(names)


def test_a_language_model_is_read_once_for_all_that_start_from_it(
    small: params.Params, context: Context, client: MlflowClient
) -> None:
    first = named(small, pretrained("mlstm", 60))
    first.run(context)
    (file,) = Path("work/claims").glob("language-*.safetensors")
    written = file.stat().st_mtime_ns
    longer = params.updated(first.model, {"max_epochs": 2, "patience": 2})
    first.model_copy(update={"reviews": 40, "model": longer}).run(context)
    assert file.stat().st_mtime_ns == written
    assert len(list(Path("work/claims").glob("language-*.safetensors"))) == 1
    named(small, pretrained("mlstm", 60), seed=2).run(context)
    assert len(list(Path("work/claims").glob("language-*.safetensors"))) == 2


def test_the_key_follows_what_decides_the_figures(small: params.Params, context: Context) -> None:
    lstm = named(small, "lstm")
    others = [
        named(small, "lstm", seed=2),
        lstm.model_copy(update={"reviews": 50}),
        lstm.model_copy(update={"model": params.updated(lstm.model, {"learning_rate": 0.02})}),
        named(small, last("lstm")),
        named(small, spaced("lstm", 5)),
        named(small, spaced("lstm", 8)),
    ]
    keys = {experiment.key(context) for experiment in [lstm, *others]}
    assert len(keys) == 1 + len(others)
    assert lstm.model_copy(update={"name": "another name"}).key(context) == lstm.key(context)
    assert len({experiment.key(context) for experiment in plan(small)}) == len(plan(small))
    assert "pretrained" not in lstm.describe(context), "what no experiment reads would make all of them new"


def test_a_killed_run_is_marked_and_does_not_count(
    small: params.Params, context: Context, client: MlflowClient
) -> None:
    lstm = named(small, "lstm")
    folder = store.experiment(client, context.experiment_name())
    ours = client.create_run(folder, tags={FOLDER: f"{socket.gethostname()}:{context.work.resolve()}"}).info.run_id
    another = client.create_run(folder, tags={FOLDER: "another machine:another clone"}).info.run_id
    # Lightning's logger calls a run finished when its training is: killed before test was scored
    early = client.create_run(folder, tags={"experiment": "lstm"}).info.run_id
    client.set_terminated(early)
    mark_killed(client, context)
    assert client.get_run(ours).info.status == "KILLED"
    assert client.get_run(another).info.status == "RUNNING"
    assert lstm.key(context) not in done(client, context)


def test_a_worker_that_dies_ends_the_rest_with_a_line_that_names_its_training(
    small: params.Params, context: Context
) -> None:
    experiments = [named(small, "lstm"), named(small, "gru"), named(small, "rnn"), named(small, "lstm", seed=2)]
    outcomes = run_all(experiments, context, workers=2)
    first, _ = next(outcomes)
    assert first in experiments[:2]
    for worker in multiprocessing.active_children():
        worker.kill()
    with pytest.raises(UserError, match=r"seed \d: its worker died"):
        list(outcomes)
    assert not multiprocessing.active_children()
