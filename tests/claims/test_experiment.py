import shutil
from pathlib import Path

import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.claims.experiment import Experiment, Setting, done, end_killed, run
from sentiment_rnn.claims.plan import few, last, plan, pretrained, reservoir, spaced

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
def setting(small: params.Params) -> Setting:
    return Setting(small.trainer, Path("data/tokens"), Path("work/claims"))


def named(chosen: params.Params, name: str, seed: int = 1) -> Experiment:
    return next(found for found in plan(chosen) if found.name == name and found.seed == seed)


def test_every_kind_runs_and_is_found_again_by_its_key(
    small: params.Params, setting: Setting, client: MlflowClient
) -> None:
    language = pretrained("mlstm", 60)
    names = ["lstm", last("rnn"), few("gru", 60), spaced("lstm, open gates", 8), reservoir(1.0), language]
    experiments = [named(small, name) for name in names]
    run_ids = {name: run(experiment, setting) for name, experiment in zip(names, experiments, strict=True)}
    found = done(client, setting)
    for name, experiment in zip(names, experiments, strict=True):
        finished = found[experiment.key(setting)]
        assert finished.info.run_id == run_ids[name]
        assert 0 <= finished.data.metrics["test_accuracy"] <= 1
        assert finished.data.tags["architecture"] == name
    history = client.get_metric_history(run_ids[last("rnn")], "gradient_norm")
    assert sorted(point.step for point in history) == list(range(small.claims.gradient_steps + 1))
    trained = found[named(small, few("gru", 60)).key(setting)].data.params
    assert (trained["reviews"], trained["cell"]) == ("60", "gru")
    assert len(found) == len(names) + 1  # the language model has a run of its own


def test_a_language_model_is_read_once_for_all_that_start_from_it(
    small: params.Params, setting: Setting, client: MlflowClient
) -> None:
    first = named(small, pretrained("mlstm", 60))
    run(first, setting)
    (file,) = Path("work/claims").glob("language-*.safetensors")
    written = file.stat().st_mtime_ns
    longer = params.with_values(first.model, {"max_epochs": 2, "patience": 2})
    run(first.model_copy(update={"reviews": 40, "model": longer}), setting)
    assert file.stat().st_mtime_ns == written
    assert len(list(Path("work/claims").glob("language-*.safetensors"))) == 1
    run(named(small, pretrained("mlstm", 60), seed=2), setting)
    assert len(list(Path("work/claims").glob("language-*.safetensors"))) == 2


def test_the_key_follows_what_decides_the_figures(small: params.Params, setting: Setting) -> None:
    lstm = named(small, "lstm")
    others = [
        named(small, "lstm", seed=2),
        lstm.model_copy(update={"reviews": 50}),
        lstm.model_copy(update={"model": params.with_values(lstm.model, {"learning_rate": 0.02})}),
        named(small, last("lstm")),
        named(small, spaced("lstm", 5)),
        named(small, spaced("lstm", 8)),
    ]
    keys = {experiment.key(setting) for experiment in [lstm, *others]}
    assert len(keys) == 1 + len(others)
    assert lstm.model_copy(update={"name": "another name"}).key(setting) == lstm.key(setting)
    assert len({experiment.key(setting) for experiment in plan(small)}) == len(plan(small))


def test_a_killed_run_is_marked_and_does_not_count(
    small: params.Params, setting: Setting, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted = named(small, "lstm")
    monkeypatch.setattr("sentiment_rnn.claims.experiment.fit", lambda *_, **__: (_ for _ in ()).throw(MemoryError))
    monkeypatch.setattr(client, "set_terminated", lambda *_: None)
    with pytest.raises(MemoryError):
        run(wanted, setting)
    assert wanted.key(setting) not in done(client, setting)
    end_killed(client, setting)
    statuses = {found.info.status for found in client.search_runs(["1"])}
    assert "RUNNING" not in statuses
