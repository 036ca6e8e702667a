"""params.yaml is read as YAML 1.2 and refused as a whole, with one line per error: the key and what is allowed."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import ROOT, shrunk_values, write_params
from dvc.utils.hydra import apply_overrides
from dvc.utils.serialize import modify_yaml
from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.models import ENCODERS, Classifier


def changed(key: str, value: object) -> dict[str, Any]:
    """The shrunk values with one of them, such as `model.dropout`, changed or added; `...` removes it."""
    values = shrunk_values()
    *sections, last = key.split(".")
    section = values
    for name in sections:
        section = section.setdefault(name, {})
    if value is ...:
        del section[last]
    else:
        section[last] = value
    return values


def error_of(values: dict[str, Any], folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        params.load(write_params(values, folder))
    return str(caught.value).removeprefix(f"{folder / 'params.yaml'}: ")


# the shipped file


def test_every_shipped_architecture_is_completed_by_the_defaults_and_builds_its_network():
    shipped = params.load(ROOT / "params.yaml")
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert set(shipped.models) == set(values["models"]) >= set(values["architectures"])
    for name, changes in values["models"].items():
        expected = {
            key: value | changes.get(key, {}) if isinstance(value, dict) else changes.get(key, value)
            for key, value in values["model"].items()
        }
        model = shipped.model_of(name)
        assert model.model_dump() == expected
        assert not changes.keys() - expected.keys()
        with torch.device("meta"):
            Classifier(**model.architecture())


def test_the_shipped_file_has_the_form_of_dvcs_writer(tmp_path):
    shutil.copy(ROOT / "params.yaml", tmp_path)
    with modify_yaml(tmp_path / "params.yaml"):
        pass
    assert (tmp_path / "params.yaml").read_bytes() == (ROOT / "params.yaml").read_bytes()


def test_a_changed_parameter_of_an_experiment_changes_one_line(tmp_path):
    """As `dvc exp run -S models.bilstm.hidden_size=128` does."""
    shutil.copy(ROOT / "params.yaml", tmp_path)
    apply_overrides(tmp_path / "params.yaml", ["models.bilstm.hidden_size=128"])  # what that command calls
    before, after = (
        path.read_text(encoding="utf-8").splitlines() for path in (ROOT / "params.yaml", tmp_path / "params.yaml")
    )
    differing = [pair for pair in zip(before, after, strict=True) if pair[0] != pair[1]]
    assert differing == [("    hidden_size: 64", "    hidden_size: 128")]


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001"])
def test_numbers_are_read_as_yaml_1_2(written, tmp_path):
    path = write_params(changed("model.adam_epsilon", "EPSILON"), tmp_path)
    path.write_text(path.read_text(encoding="utf-8").replace("EPSILON", written), encoding="utf-8")
    assert params.load(path).model_of("lstm").adam_epsilon == 0.001


# errors


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        # unknown keys
        ("color", 1, ["unknown", "data, datasets, tokenizer, word_vectors, trainer, model, models, architectures"]),
        ("data.color", 1, ["unknown", "dataset, test_fraction, validation_fraction, seed"]),
        ("datasets.mine", {"hub": "a/b"}, ["labels", "missing"]),
        ("datasets.mine", {"file": "a.csv"}, ["hub", "files"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": [1]}}, ["1 classes (a)", "two"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": 1, "b": 2, "c": 3}}, ["3 classes (a, b, c)", "ignore"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": 1, "b": "1"}}, ["1 is listed twice"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": [None], "b": "1"}}, ["None is not a value"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": 1, "b": 2}, "text": "label"}, ["label is listed twice"]),
        ("datasets.mine", {"files": "a.csv", "labels": {"a": 1, "b": 2}, "slices": ["length"]}, ["length", "rename"]),
        (
            "datasets.mine",
            {"files": {"train": "a", "tain": "b"}, "labels": {"a": 1, "b": 2}},
            ["tain", "train, validation"],
        ),
        ("datasets.synthetic.color", 1, ["unknown", "train, test, unsupervised, seed"]),
        ("datasets.imdb.url", "a", ["unknown", "hub, config, revision, mirror"]),
        ("trainer.gpus", 1, ["unknown", "accelerator, devices, strategy, num_nodes, precision"]),
        ("model.hiden_size", 1, ["unknown", "hidden_size"]),
        ("models.lstm.hiden_size", 1, ["unknown", "hidden_size"]),
        ("model.echo_state.radius", 1, ["unknown", "spectral_radius, leak_rate, input_scaling"]),
        ("models.gru.bigrams.rows", 1, ["unknown", "size, buckets"]),
        ("registry.gate.max_latency", 5, ["unknown", "max_ece_increase, max_latency_ms"]),
        ("baselines.svm", {}, ["unknown", "tfidf_logistic, nb_logistic"]),
        ("baselines.nb_logistic.ngram", 2, ["unknown", "max_ngram, min_df, C"]),
        ("search.space.dropout.maximum", 1, ["unknown", "when, low, high, log, type"]),
        # missing ones
        ("search", ..., ["missing"]),
        ("model", ..., ["missing"]),
        ("model.patience", ..., ["missing"]),
        ("model.transformer", ..., ["missing"]),
        ("model.echo_state.leak_rate", ..., ["missing"]),
        ("tokenizer.min_frequency", ..., ["missing"]),
        ("baselines.nb_logistic", ..., ["missing"]),
        ("baselines.nb_logistic.C", ..., ["missing"]),
        ("registry.gate", ..., ["missing"]),
        # wrong types
        ("datasets.imdb.mirror", 5, ["string", "5"]),
        ("data.seed", 1.5, ["integer", "1.5"]),
        ("tokenizer.vocab_size", "500", ["integer", "'500'"]),
        ("model.hidden_size", "64", ["integer", "'64'"]),
        ("models.lstm.hidden_size", "64", ["integer", "'64'"]),
        ("models.lstm.bidirectional", "no", ["boolean", "'no'"]),
        ("models.lstm.ensemble", 3, ["boolean", "it is 3"]),
        ("models.conv_lstm.conv_lstm.window", 1.5, ["integer", "1.5"]),
        ("model.bigrams", 32, ["BigramParams", "32"]),
        ("models.lstm", None, ["mapping"]),
        ("search.space.dropout", 0.3, ["0.3"]),
        ("search.space.dropout.low", "little", ["number", "'little'"]),
        # values that are not allowed
        ("data.dataset", "imbd", ["imbd", "imdb, synthetic"]),
        ("data.dataset", "a/b", ["a/b"]),
        ("data.validation_fraction", 0.9, ["0.5", "0.9"]),
        ("datasets.synthetic.train", 4, ["20", "4"]),
        ("datasets.imdb.hub", "", ["at least 1"]),
        ("trainer.accelerator", "abacus", ["'auto', 'cpu', 'gpu'", "'abacus'"]),
        ("trainer.devices", 0, ["auto", "greater than or equal to 1", "list"]),
        ("trainer.devices", "two", ["auto", "integer", "list"]),
        ("trainer.devices", [], ["at least 1"]),
        ("trainer.num_nodes", 0, ["auto", "greater than or equal to 1"]),
        ("trainer.precision", 16, ["'auto', '32-true'", "16"]),
        ("model.cell", "tcn", [*(f"'{name}'" for name in ENCODERS), "'tcn'"]),  # all of the table
        ("models.lstm.cell", "tcn", [*(f"'{name}'" for name in ENCODERS), "'tcn'"]),
        ("models.lstm.padding", "front", ["'post' or 'pre'", "'front'"]),
        ("models.lstm.dropout", 1.0, ["less than 1", "1.0"]),
        ("models.lstm.learning_rate", 0.0, ["greater than 0"]),
        ("models.lstm.max_epochs", 0, ["1", "0"]),
        ("models.lstm.pooling", ["min"], ["'last', 'mean', 'max' or 'attention'", "'min'"]),
        ("models.lstm.pooling", [], ["at least 1"]),
        ("models.lstm.seeds", [], ["at least 1"]),
        ("model.echo_state.leak_rate", 1.5, ["less than or equal to 1", "1.5"]),
        ("models.echo_state.echo_state.spectral_radius", 0, ["greater than 0", "it is 0"]),
        ("word_vectors.sample", 1.0, ["less than 1"]),
        ("registry.candidate", "best", ["pattern", "'best'"]),
        ("registry.gate.max_ece_increase", -0.1, ["greater than or equal to 0", "it is -0.1"]),
        ("registry.gate.max_latency_ms", 0, ["greater than 0", "it is 0"]),
        ("baselines.nb_logistic.max_ngram", 0, ["greater than or equal to 1", "it is 0"]),
        ("baselines.nb_logistic.min_df", 0.5, ["integer", "0.5"]),
        ("baselines.nb_logistic.C", [], ["at least 1"]),
        ("baselines.nb_logistic.C", [1.0, 0.0], ["greater than 0", "it is 0.0"]),
        ("search.workers", 0, ["auto", "greater than or equal to 1", "it is 0"]),
        ("search.workers", "all", ["auto", "greater than or equal to 1", "'all'"]),
        ("search.storage", "study.db", ["'study.db'"]),
        ("search.pruner", "best", ["none", "median", "hyperband"]),
        ("search.space.dropout.type", "normal", ["float", "int", "choice"]),
        ("search.space.dropout", {"low": 0.1, "high": 0.2}, ["type", "float", "int", "choice"]),
        ("claims.reservoir.spectral_radii", [0.2, 0.5, 0.8], ["below 1", "above"]),
        ("claims.accuracy.model.cell", "gru", ["compared"]),
        ("claims.accuracy.max_seeds", 3, ["pilot_seeds"]),
        ("claims.memory.model.hiden_size", 3, ["hiden_size"]),
        ("claims.memory.lengths", {"adding": [50]}, ["copy is missing"]),
        ("claims.memory.lengths.adding", [50, 50], ["duplicate"]),
        ("claims.quick.reservoir.seeds", 2, ["quick", "greater than or equal to 3"]),
        ("ablation.variants.other.protocol", "holdout", ["cannot differ"]),
        ("ablation.variants.other.ema_decay", 2.0, ["ema_decay", "less than 1"]),
        ("ablation.variants.other.teachers", ["student"], ["exactly these"]),
        # incompatible values
        ("models.lstm.pooling", ["max", "max"], ["duplicate"]),
        ("models.lstm.seeds", [3, 3], ["duplicate"]),
        ("models.transformer.transformer", {"num_heads": 3}, ["embedding_size: 8", "num_heads, 3"]),
        ("models.evolved_lstm.trainable", "all", ["too many parameters", "readout_and_biases"]),
        ("models.evolved_lstm.cell", "rnn", ["gates", "rnn"]),
        ("models.evolved_lstm.ema_decay", 0.9, ["empty", "cma_es"]),
        ("models.echo_state.adversarial_epsilon", 0.1, ["empty", "reservoir"]),
        ("models.bilstm_keras.refit", True, ["false", "keras_reference"]),
        ("models.nb_logistic", {}, ["linear baseline"]),
        ("models.lstm.vocab_size", 501, ["501", "tokenizer.vocab_size", "500"]),
        ("models.lstm.embedding_size", 12, ["12", "word_vectors.size is 8", "word_vectors: false"]),
        ("models.lstm.batch_size", 15, ["15", "2 processes"]),
        ("models.lstm.teachers", ["nb_logistic"], ["architectures"]),
        ("models.best.teachers", ["best"], ["best is not one of", "nb_logistic", "student"]),
        ("architectures", ["bilstm", "tcn"], ["tcn", "rnn, lstm, gru"]),
        ("architectures", ["bilstm", "bilstm"], ["bilstm", "duplicate"]),
        ("registry.candidate", "family/tcn", ["tcn", "rnn, lstm, gru"]),
        ("registry.candidate", "family/best", ["should be distilled/best"]),
        ("registry.candidate", "distilled/bilstm", ["should be family/bilstm"]),
        ("registry.candidate", "family/bilstm_keras", ["validation"]),
        ("registry.candidate", "family/mlstm", ["mlstm", "ONNX", "rnn, lstm, gru"]),
        ("search.architectures", ["tcn"], ["tcn", "rnn, lstm, gru"]),
        ("search.architectures", ["best"], ["best", "teachers"]),
        ("search.architectures", ["bilstm_keras"], ["bilstm_keras", "validation"]),
        ("ablation.architecture", "tcn", ["tcn", "rnn, lstm, gru"]),
        # the search space
        ("search.space.optimiser", {"type": "int", "low": 1, "high": 2}, ["cannot be searched", "learning_rate"]),
        ("search.space.seeds", {"type": "int", "low": 1, "high": 2}, ["cannot be searched"]),
        ("search.space.ensemble", {"type": "choice", "choices": [True, False]}, ["cannot be searched"]),
        ("search.space.bigrams", {"type": "int", "low": 1, "high": 2}, ["cannot be searched", "bigrams.size"]),
        ("search.space.dropout", {"type": "float", "low": 0.1, "high": 1.5}, ["1.5", "less than 1"]),
        ("search.space.dropout", {"type": "float", "low": 0.3, "high": 0.2}, ["low must be below high"]),
        ("search.space.learning_rate", {"type": "float", "low": 0.0, "high": 0.1, "log": True}, ["log", "above 0"]),
        ("search.space.hidden_size", {"type": "choice", "choices": [8, "big"]}, ["'big'", "integer"]),
        ("search.space.hidden_size", {"type": "float", "low": 2.0, "high": 3.0}, ["integer"]),
        ("search.space.vocab_size", {"type": "int", "low": 100, "high": 900}, ["900", "tokenizer.vocab_size"]),
        ("search.space.batch_size", {"type": "choice", "choices": [15, 16]}, ["15", "2 processes"]),
        ("search.space.dropout.when", {"cells": ["lstm"]}, ["when.cells", "not a parameter"]),
        ("search.space.dropout.when", {"cell": "lstm"}, ["when.cell", "list"]),
        ("search.space.dropout.when", {"cell": ["lsmt"]}, ["when.cell", "'lsmt'", "'lstm'"]),
        ("search.space.dropout.when", {"pooling": ["max"]}, ["when.pooling", "list"]),
        ("search.space.dropout.when", {"learning_rate": ["high"]}, ["'high' cannot be sampled for learning_rate"]),
        ("search.space.learning_rate.when", {"dropout": [0.5]}, ["dropout has to come before learning_rate"]),
        ("search.space.dropout.when", {"learning_rate": [0.9]}, ["0.9 cannot be sampled for learning_rate"]),
    ],
)
def test_an_error_is_one_line_with_its_key_and_what_is_allowed(key, value, allowed, tmp_path):
    values = changed(key, value)
    if key.endswith("batch_size"):
        values["trainer"]["devices"] = 2
    line = error_of(values, tmp_path)
    assert "\n" not in line
    for words in (*key.split(".")[:2], *allowed):
        assert words in line


def test_several_errors_are_reported_together_in_one_line_each(tmp_path):
    values = changed("trainer.precision", "8")
    values["models"]["gru"]["dropout"] = 2.0
    values["models"]["gru"]["bigrams"] = {"size": -1}
    values["color"] = 1
    lines = error_of(values, tmp_path).splitlines()
    assert len(lines) == 4
    for key in ("trainer.precision", "models.gru.dropout", "models.gru.bigrams.size", "color"):
        assert sum(f"{key}:" in line for line in lines) == 1


def test_the_space_is_checked_for_every_searched_architecture(tmp_path):
    values = changed("search.space", {"transformer.num_heads": {"type": "choice", "choices": [2, 3]}})
    assert params.load(write_params(values, tmp_path)).search.architectures == ["bilstm"]
    values["search"]["architectures"] = ["bilstm", "transformer"]
    assert "search.space.transformer.num_heads: 3 is not allowed" in error_of(values, tmp_path)


def test_a_batch_that_divides_among_the_devices_is_accepted(tmp_path):
    values = changed("trainer.devices", 2)
    values["trainer"]["num_nodes"] = 4
    assert params.load(write_params(values, tmp_path)).trainer.devices == 2
    values["trainer"]["num_nodes"] = 3
    assert "batch_size: 16 is not divisible" in error_of(values, tmp_path)


def test_a_list_of_devices_is_for_gpus(tmp_path):
    values = changed("trainer.devices", [0, 1])
    assert "list" in error_of(values, tmp_path)
    values["trainer"]["accelerator"] = "gpu"
    assert params.load(write_params(values, tmp_path)).trainer.devices == [0, 1]


@pytest.mark.parametrize("content", [b"data: [1", b"\tdata", b"data: 1\ndata: 2", b"\xff\xfe\xfadata", b"", b"- data"])
def test_anything_but_a_yaml_mapping_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"params\.yaml: .+") as caught:
        params.load(path)
    assert "\n" not in str(caught.value)


def test_the_error_for_a_missing_file_has_a_cure(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^params\.yaml: No such file or directory; run from the project's root$"):
        params.load()


def test_the_error_for_an_unknown_architecture_or_baseline_has_the_known_ones(chosen):
    with pytest.raises(UserError, match=r"tcn.*rnn, lstm, gru, birnn, bilstm, bigru, .*peephole_lstm, .*bilstm_keras"):
        chosen.model_of("tcn")
    assert chosen.baseline_of("nb_logistic") == chosen.baselines.nb_logistic
    with pytest.raises(UserError, match=r"no baseline svm in params.yaml; there are tfidf_logistic, nb_logistic"):
        chosen.baseline_of("svm")


# values


def test_paths_and_the_registered_name_follow_the_params(chosen):
    assert chosen.registered_name == "synthetic-bilstm"
    assert (chosen.path_of("bilstm"), chosen.path_of("best")) == ("family/bilstm", "distilled/best")
    assert chosen.registry.architecture == "bilstm"
    assert chosen.with_teachers(["nb_logistic"]) == "student"
    assert chosen.with_teachers(["tfidf_logistic"]) is None


def test_seeds_and_ensemble_do_not_affect_the_training_of_a_seed(chosen):
    model = chosen.model_of("lstm")
    changed = params.updated(model, {"seeds": [1, 2], "ensemble": True})
    assert changed.seed_independent() == model.seed_independent()
    assert params.updated(model, {"dropout": 0.25}).seed_independent() != model.seed_independent()
    assert model.seed_independent().keys() == type(model).model_fields.keys() - {"seeds", "ensemble"}


def test_updated_values_are_validated_and_the_section_is_not_modified(chosen):
    model = chosen.model_of("echo_state")
    before = model.model_dump()
    dotted = params.updated(model, {"echo_state.leak_rate": 0.25, "echo_state.spectral_radius": 0.5})
    nested = params.updated(model, {"echo_state": {"leak_rate": 0.25, "spectral_radius": 0.5}})
    expected = before | {"echo_state": {"leak_rate": 0.25, "spectral_radius": 0.5, "input_scaling": 20.0}}
    assert dotted.model_dump() == nested.model_dump() == expected
    assert model.model_dump() == before
    with pytest.raises(ValueError, match="less than or equal to 1"):
        params.updated(model, {"echo_state.leak_rate": 1.5})
    for key in ("color", "echo_state.color", "color.size"):
        with pytest.raises(ValueError, match="Extra inputs"):
            params.updated(model, {key: 1})


@pytest.mark.parametrize("name", ["lstm", "echo_state", "conv_lstm", "transformer"])
def test_flat_values_have_the_options_of_the_cell_alone_and_give_the_model_back(chosen, name):
    model = chosen.model_of(name)
    flat = model.flat()
    assert not [key for key, value in flat.items() if isinstance(value, dict)]
    assert {key.split(".")[0] for key in flat if "." in key} == {"augmentation", "bigrams"} | ({name} - {"lstm"})
    assert params.updated(chosen.model, flat) == model


def test_parameters_that_cma_es_does_not_use_are_not_in_the_flat_values(chosen):
    assert "learning_rate" in chosen.model_of("lstm").flat()
    assert not {"learning_rate", "dropout", "gradient_clip"} & chosen.model_of("evolved_lstm").flat().keys()
