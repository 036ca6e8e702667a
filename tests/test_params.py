"""params.yaml is read as YAML 1.2 and refused as a whole, in a line that names the key and what is allowed."""

from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params
from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.models import ENCODERS


def changed(key: str, value: object) -> dict:
    """The shrunk values with one of them, named like `model.dropout`, changed or added; `...` takes it out."""
    values = shrunk_values()
    *sections, last = key.split(".")
    section = values
    for name in sections:
        section = section[name]
    if value is ...:
        del section[last]
    else:
        section[last] = value
    return values


def refusal(values: dict, folder: Path) -> str:
    with pytest.raises(UserError) as caught:
        params.load(write_params(values, folder))
    return str(caught.value).removeprefix(f"{folder / 'params.yaml'}: ")


def test_the_shipped_file_is_accepted_and_gives_every_architecture_all_values():
    loaded = params.load(ROOT / "params.yaml")
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    assert set(loaded.models) == set(values["models"]) >= set(values["architectures"])
    for name, changes in values["models"].items():
        assert loaded.model_of(name).model_dump() == values["model"] | changes


@pytest.mark.parametrize("written", ["1e-3", "1.0e-3", "0.001"])
def test_numbers_are_read_as_yaml_1_2_reads_them(written, tmp_path):
    path = write_params(changed("model.adam_epsilon", "EPSILON"), tmp_path)
    path.write_text(path.read_text().replace("EPSILON", written))
    assert params.load(path).model_of("lstm").adam_epsilon == 0.001


@pytest.mark.parametrize(
    ("key", "value", "allowed"),
    [
        # unknown keys
        (
            "colour",
            1,
            ["unknown", "data, tokenizer, trainer, model, models, architectures, pretrain, search, linear"],
        ),
        ("data.colour", 1, ["unknown", "source, mirror, validation_fraction, seed, sample"]),
        ("data.sample.colour", 1, ["unknown", "train, test, unsupervised, seed"]),
        ("trainer.gpus", 1, ["unknown", "accelerator, devices, strategy, num_nodes, precision"]),
        ("model.hiden_size", 1, ["unknown", "hidden_size"]),
        ("models.lstm.hiden_size", 1, ["unknown", "hidden_size"]),
        ("search.space.dropout.maximum", 1, ["unknown", "when, low, high, log, type"]),
        ("search.space.dropout.when", {"cells": ["lstm"]}, ["when.cells", "not a parameter"]),
        ("search.space.dropout.when", {"cell": "lstm"}, ["when.cell", "list"]),
        ("search.space.dropout.when", {"cell": ["lsmt"]}, ["when.cell", "'lsmt'", "'lstm'"]),
        ("search.space.dropout.when", {"pooling": ["max"]}, ["when.pooling", "list"]),
        ("search.space.dropout.when", {"learning_rate": ["high"]}, ["'high' cannot be drawn for learning_rate"]),
        ("search.space.learning_rate.when", {"dropout": [0.5]}, ["dropout has to stand above learning_rate"]),
        ("search.space.dropout.when", {"learning_rate": [0.9]}, ["0.9 cannot be drawn for learning_rate"]),
        ("search.workers", 0, ["auto", "greater than or equal to 1", "it is 0"]),
        ("search.workers", "all", ["auto", "greater than or equal to 1", "'all'"]),
        ("search.storage", "study.db", ["search.storage", "'study.db'"]),
        ("registry.gate", ..., ["missing"]),
        ("registry.gate.max_ece_increase", -0.1, ["greater than or equal to 0", "it is -0.1"]),
        ("registry.gate.max_latency_ms", 0, ["greater than 0", "it is 0"]),
        ("registry.gate.max_latency", 5, ["unknown", "max_ece_increase, max_latency_ms"]),
        ("search.pruner", "best", ["none", "median", "hyperband"]),
        ("trainer.num_nodes", 0, ["auto", "greater than or equal to 1"]),
        ("search.space.optimiser", {"type": "int", "low": 1, "high": 2}, ["not a parameter"]),
        ("search.space.seeds", {"type": "int", "low": 1, "high": 2}, ["not a parameter"]),
        ("search.space.average", {"type": "choice", "choices": [True, False]}, ["not a parameter"]),
        ("linear.nb_logistic.ngram", 2, ["unknown", "max_ngram, min_df, c"]),
        # missing ones
        ("search", ..., ["missing"]),
        ("model", ..., ["missing"]),
        ("model.patience", ..., ["missing"]),
        ("tokenizer.min_frequency", ..., ["missing"]),
        ("linear", ..., ["missing"]),
        ("linear.nb_logistic.c", ..., ["missing"]),
        # wrong types
        ("data.mirror", 5, ["string", "5"]),
        ("data.seed", 1.5, ["integer", "1.5"]),
        ("tokenizer.vocab_size", "500", ["integer", "'500'"]),
        ("model.hidden_size", "64", ["integer", "'64'"]),
        ("models.lstm.hidden_size", "64", ["integer", "'64'"]),
        ("models.lstm.bidirectional", "no", ["boolean", "'no'"]),
        ("models.lstm.average", 3, ["boolean", "it is 3"]),
        ("models.lstm", None, ["mapping"]),
        ("search.space.dropout", 0.3, ["0.3"]),
        ("search.space.dropout.low", "little", ["number", "'little'"]),
        # values that are not allowed
        ("data.source", "web", ["'auto', 'hub', 'mirror' or 'sample'", "'web'"]),
        ("data.validation_fraction", 0.9, ["0.5", "0.9"]),
        ("data.sample.train", 4, ["20", "4"]),
        ("trainer.accelerator", "abacus", ["'auto', 'cpu', 'gpu'", "'abacus'"]),
        ("trainer.devices", 0, ["auto", "greater than or equal to 1", "list"]),
        ("trainer.devices", "two", ["auto", "integer", "list"]),
        ("trainer.devices", [], ["at least 1"]),
        ("trainer.precision", 16, ["'auto', '32-true'", "16"]),
        ("model.cell", "tcn", [*(f"'{name}'" for name in ENCODERS), "'tcn'"]),  # of the table, all of them
        ("models.lstm.cell", "tcn", [*(f"'{name}'" for name in ENCODERS), "'tcn'"]),
        ("models.lstm.dropout", 1.0, ["less than 1", "1.0"]),
        ("models.lstm.learning_rate", 0.0, ["greater than 0"]),
        ("models.lstm.max_epochs", 0, ["1", "0"]),
        ("models.lstm.pooling", ["min"], ["'last', 'mean', 'max' or 'attention'", "'min'"]),
        ("models.lstm.pooling", [], ["at least 1"]),
        ("models.lstm.seeds", [], ["at least 1"]),
        ("registry.name", "a/b", ["a/b"]),
        ("linear.baselines", ["svm"], ["'tfidf_logistic' or 'nb_logistic'", "'svm'"]),
        ("linear.baselines", [], ["at least 1"]),
        ("linear.nb_logistic.max_ngram", 0, ["greater than or equal to 1", "it is 0"]),
        ("linear.nb_logistic.min_df", 0.5, ["integer", "0.5"]),
        ("linear.nb_logistic.c", [], ["at least 1"]),
        ("linear.nb_logistic.c", [1.0, 0.0], ["greater than 0", "it is 0.0"]),
        ("search.space.dropout.type", "normal", ["float", "int", "choice"]),
        ("search.space.dropout", {"low": 0.1, "high": 0.2}, ["type", "float", "int", "choice"]),
        # what cannot work together
        ("models.lstm.pooling", ["max", "max"], ["twice"]),
        ("models.transformer.heads", 3, ["embedding_size: 8", "3 heads"]),
        ("models.lstm.seeds", [3, 3], ["twice"]),
        ("linear.baselines", ["nb_logistic", "nb_logistic"], ["twice"]),
        ("models.nb_logistic", {}, ["linear baseline"]),
        ("architectures", ["bilstm", "tcn"], ["tcn", "rnn, lstm, gru"]),
        ("architectures", ["bilstm", "bilstm"], ["bilstm", "twice"]),
        ("architectures", ["lstm"], ["registry.candidates"]),
        ("registry.candidates", ["tcn"], ["tcn", "rnn, lstm, gru"]),
        ("models.lstm.vocab_size", 501, ["501", "tokenizer.vocab_size", "500"]),
        ("models.evolved_lstm.trained", "all", ["models.evolved_lstm", "too many parameters", "readout_and_biases"]),
        ("models.evolved_lstm.cell", "rnn", ["models.evolved_lstm", "gates", "rnn"]),
        ("models.lstm.batch_size", 15, []),
        ("models.lstm.pretrained", True, ["not pre-trained by dvc.yaml"]),
        ("pretrain.kind", "bert", ["'none', 'vectors' or 'lm'", "'bert'"]),
        ("pretrain.vectors.sample", 1.0, ["less than 1"]),
        ("pretrain.lm.epochs", 1, ["unknown", "reviews, max_epochs, learning_rate"]),
        ("search.space.dropout", {"type": "float", "low": 0.1, "high": 1.5}, ["1.5", "less than 1"]),
        ("search.space.dropout", {"type": "float", "low": 0.3, "high": 0.2}, ["low must be below high"]),
        ("search.space.learning_rate", {"type": "float", "low": 0.0, "high": 0.1, "log": True}, ["log", "above 0"]),
        ("search.space.hidden_size", {"type": "choice", "choices": [8, "big"]}, ["'big'", "integer"]),
        ("search.space.hidden_size", {"type": "float", "low": 2.0, "high": 3.0}, ["integer"]),
        ("search.space.vocab_size", {"type": "int", "low": 100, "high": 900}, ["900", "tokenizer.vocab_size"]),
        ("search.space.batch_size", {"type": "choice", "choices": [15, 16]}, ["15", "2 processes"]),
    ],
)
def test_a_mistake_is_one_line_that_names_its_key_and_what_is_allowed(key, value, allowed, tmp_path):
    values = changed(key, value)
    if key.endswith("batch_size"):
        values["trainer"]["devices"] = 2
    line = refusal(values, tmp_path)
    assert "\n" not in line
    for words in (*key.rsplit(".", 1), *allowed):
        assert words in line


def test_several_mistakes_are_told_together_each_in_its_line(tmp_path):
    values = changed("data.source", "web")
    values["models"]["gru"]["dropout"] = 2.0
    values["colour"] = 1
    lines = refusal(values, tmp_path).splitlines()
    assert len(lines) == 3
    for key in ("data.source", "models.gru.dropout", "colour"):
        assert sum(f"{key}:" in line for line in lines) == 1


def test_a_batch_that_divides_among_the_devices_is_accepted(tmp_path):
    values = changed("trainer.devices", 2)
    values["trainer"]["num_nodes"] = 4
    assert params.load(write_params(values, tmp_path)).trainer.devices == 2
    values["trainer"]["num_nodes"] = 3
    assert "batch_size: 16 does not divide" in refusal(values, tmp_path)


def test_a_list_of_devices_is_for_gpus(tmp_path):
    values = changed("trainer.devices", [0, 1])
    assert "list" in refusal(values, tmp_path)
    values["trainer"]["accelerator"] = "gpu"
    assert params.load(write_params(values, tmp_path)).trainer.devices == [0, 1]


@pytest.mark.parametrize("content", [b"data: [1", b"\tdata", b"data: 1\ndata: 2", b"\xff\xfe\xfadata", b"", b"- data"])
def test_what_is_no_yaml_mapping_is_refused_in_one_line(content, tmp_path):
    path = tmp_path / "params.yaml"
    path.write_bytes(content)
    with pytest.raises(UserError, match=r"params\.yaml: .+") as caught:
        params.load(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_says_where_to_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UserError, match=r"^params\.yaml: No such file or directory; run from the project's root$"):
        params.load()


def test_an_unknown_architecture_is_answered_with_the_known_ones(chosen):
    with pytest.raises(UserError, match=r"tcn.*rnn, lstm, gru, birnn, bilstm, bigru, .*peephole_lstm, .*bilstm_keras"):
        chosen.model_of("tcn")


def test_an_unknown_linear_rival_is_answered_with_the_known_ones(chosen):
    assert chosen.baseline_of("nb_logistic") == chosen.linear.nb_logistic
    with pytest.raises(
        UserError, match=r"no linear baseline baselines in params.yaml; there are tfidf_logistic, nb_logistic"
    ):
        chosen.baseline_of("baselines")


def test_what_becomes_of_the_seeds_decides_no_training(chosen):
    model = chosen.model_of("lstm")
    changed = params.updated(model, {"seeds": [1, 2], "average": True})
    assert changed.seed_independent() == model.seed_independent()
    assert params.updated(model, {"dropout": 0.25}).seed_independent() != model.seed_independent()
    assert model.seed_independent().keys() == type(model).model_fields.keys() - {"seeds", "average"}


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"num_layers": 2}, ["models.best.num_layers", "sees the token", "it is 2"]),
        ({"cell": "transformer"}, ["models.best.cell: transformer sees the token"]),
        ({"cell": "conv_lstm"}, ["models.best.cell: conv_lstm sees the token"]),
        ({"cell": "echo_state"}, ["models.best.cell: echo_state has no weights that learn"]),
        ({"padding": "front"}, ["models.best.padding: front"]),
    ],
)
def test_what_sees_the_token_that_it_should_tell_is_no_language_model(changes, words, tmp_path):
    values = shrunk_values()
    values["models"]["best"] |= changes
    params.load(write_params(values, tmp_path))
    values["pretrain"]["kind"] = "lm"
    line = refusal(values, tmp_path)
    assert "\n" not in line
    for part in [*words, "pretrain.kind"]:
        assert part in line
    values["models"]["best"]["pretrained"] = False
    params.load(write_params(values, tmp_path))


def test_several_layers_that_read_forward_are_a_language_model(tmp_path):
    values = shrunk_values()
    values["models"]["best"] |= {"bidirectional": False, "num_layers": 2}
    values["pretrain"]["kind"] = "lm"
    assert params.load(write_params(values, tmp_path)).model_of("best").num_layers == 2


def test_changed_values_are_validated_again(chosen):
    model = chosen.model_of("lstm")
    assert params.updated(model, {"dropout": 0.25}).dropout == 0.25
    with pytest.raises(ValueError, match="less than 1"):
        params.updated(model, {"dropout": 1.5})
    with pytest.raises(ValueError, match="Extra inputs"):
        params.updated(model, {"colour": 1})
