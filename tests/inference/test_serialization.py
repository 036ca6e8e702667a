"""A model written and read again is the same function; nothing is pickled."""

import json

import pytest
import torch

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import ENCODERS, Classifier


def architecture(cell: str) -> dict:
    return {
        "vocab_size": 30, "embedding_size": 6, "bigram_size": 2, "bigram_buckets": 9,
        "cell": cell, "hidden_size": 4, "num_layers": 2, "bidirectional": True,
        "initial": "keras", "memory": None,
        "merge": "concat", "window": 4, "spectral_radius": 0.9, "leak": 0.5, "input_scale": 1.0, "heads": 2,
        "pooling": ["last", "max"], "word_dropout": 0.5, "embedding_dropout": 0.5, "dropout": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("cell", ENCODERS)
def test_a_model_read_again_gives_the_same_logits(cell, tmp_path):
    torch.manual_seed(0)
    model = Classifier(**architecture(cell)).eval()
    encoding = Encoding(30, 9, "both", "back")
    serialization.save(model, architecture(cell), encoding, tmp_path / "model")
    again, read, temperature = serialization.load(tmp_path / "model")
    ids, lengths = torch.randint(2, 30, (9, 4)), torch.tensor([9, 5, 2, 1])
    assert (read, temperature) == (encoding, 1.0)
    assert not again.training, "dropout must be off"
    assert torch.equal(again(ids, lengths), model(ids, lengths))


def test_an_average_read_again_gives_the_same_logits_and_its_temperature(tmp_path):
    torch.manual_seed(0)
    model = Ensemble([Classifier(**architecture("lstm")) for _ in range(3)]).eval()
    serialization.save(model, architecture("lstm"), Encoding(30, 9, "both", "back"), tmp_path, 1.25)
    again, _, temperature = serialization.load(tmp_path)
    ids, lengths = torch.randint(2, 30, (9, 4)), torch.tensor([9, 5, 2, 1])
    assert temperature == 1.25
    assert not again.training, "dropout must be off"
    assert torch.equal(again(ids, lengths), model(ids, lengths))


def test_a_model_that_was_saved_before_there_were_bigrams_is_read(tmp_path):
    now = architecture("lstm") | {"bigram_size": 0}
    before = {name: value for name, value in now.items() if not name.startswith("bigram")}
    model = Classifier(**now).eval()
    serialization.save(model, before, Encoding(30, 9, "head", "back"), tmp_path)
    ids, lengths = torch.randint(1, 30, (9, 2)), torch.tensor([9, 4])
    assert torch.equal(serialization.load(tmp_path).model(ids, lengths), model(ids, lengths))


def test_what_training_writes_says_nothing_of_members_or_temperature(tmp_path):
    serialization.save(
        Classifier(**architecture("lstm")), architecture("lstm"), Encoding(30, 9, "head", "back"), tmp_path
    )
    encoding = {"vocab_size": 30, "max_length": 9, "truncation": "head", "padding": "back"}
    expected = {"architecture": architecture("lstm"), "encoding": encoding}
    assert (tmp_path / "model.json").read_text() == json.dumps(expected, indent=2) + "\n"


def test_only_safetensors_and_json_are_written(tmp_path):
    serialization.save(
        Classifier(**architecture("lstm")), architecture("lstm"), Encoding(30, 9, "head", "back"), tmp_path
    )
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]


def test_a_folder_without_a_model_names_the_cure(tmp_path):
    with pytest.raises(UserError, match=r"holds no trained model: run `dvc repro train`"):
        serialization.load(tmp_path)


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("model.safetensors", b""),
        ("model.safetensors", b"cut off"),
        ("model.json", b'{"architecture": {'),
        ("model.json", b"{}"),
        ("model.json", b'{"architecture": {"cell": "lstm"}, "encoding": {}}'),
        ("model.json", json.dumps({"architecture": architecture("gru"), "encoding": {}}).encode()),
        ("model.json", json.dumps({"architecture": architecture("lstm"), "encoding": {}, "members": 2}).encode()),
        ("model.json", json.dumps({"architecture": architecture("lstm"), "encoding": {}}).encode()),
    ],
)
def test_a_broken_model_is_one_line_that_names_its_folder_and_the_cure(file, content, tmp_path):
    serialization.save(
        Classifier(**architecture("lstm")), architecture("lstm"), Encoding(30, 9, "head", "back"), tmp_path
    )
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=r"holds a corrupt file \(\w+\): remove it and run `dvc checkout`") as caught:
        serialization.load(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
