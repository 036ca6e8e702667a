"""A saved model, loaded again, gives the same logits; corrupt files are refused."""

import json
from pathlib import Path

import pytest
import torch

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import ENCODERS, Classifier

OPTIONS = {
    "conv_lstm": {"window": 4},
    "echo_state": {"spectral_radius": 0.9, "leak_rate": 0.5, "input_scaling": 1.0},
    "transformer": {"num_heads": 2},
}
ENCODING = Encoding(30, 9, "head_tail", "post")


def architecture(cell: str) -> dict:
    return {
        "vocab_size": 30, "embedding_size": 6, "bigram_size": 2, "bigram_buckets": 9,
        "cell": cell, "hidden_size": 4, "num_layers": 2, "bidirectional": True, "cell_options": OPTIONS.get(cell, {}),
        "initializer": "keras", "chrono_init": None, "merge_mode": "concat",
        "pooling": ["last", "max"], "word_dropout": 0.5, "embedding_dropout": 0.5, "dropout": 0.5,
    }  # fmt: skip


def save_lstm(folder: Path) -> None:
    serialization.save(Classifier(**architecture("lstm")), architecture("lstm"), ENCODING, folder)


@pytest.mark.parametrize("cell", ENCODERS)
def test_a_loaded_model_gives_the_same_logits(cell, tmp_path):
    torch.manual_seed(0)
    model = Classifier(**architecture(cell)).eval()
    serialization.save(model, architecture(cell), ENCODING, tmp_path / "model")
    loaded, encoding, temperature = serialization.load(tmp_path / "model")
    ids, lengths = torch.randint(2, 30, (9, 4)), torch.tensor([9, 5, 2, 1])
    assert (encoding, temperature) == (ENCODING, 1.0)
    assert not loaded.training, "dropout must be off"
    assert torch.equal(loaded(ids, lengths), model(ids, lengths))
    assert sorted(path.name for path in (tmp_path / "model").iterdir()) == ["model.json", "model.safetensors"]


def test_a_loaded_ensemble_gives_the_same_logits_and_has_its_temperature(tmp_path):
    torch.manual_seed(0)
    model = Ensemble([Classifier(**architecture("lstm")) for _ in range(3)]).eval()
    serialization.save(model, architecture("lstm"), ENCODING, tmp_path, 1.25)
    loaded, _, temperature = serialization.load(tmp_path)
    ids, lengths = torch.randint(2, 30, (9, 4)), torch.tensor([9, 5, 2, 1])
    assert temperature == 1.25
    assert not loaded.training, "dropout must be off"
    assert torch.equal(loaded(ids, lengths), model(ids, lengths))


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
def test_a_corrupt_model_is_a_one_line_error_that_names_its_folder(file, content, tmp_path):
    save_lstm(tmp_path)
    (tmp_path / file).write_bytes(content)
    with pytest.raises(UserError, match=r"\(\w+\).*`dvc checkout --force ") as caught:
        serialization.load(tmp_path)
    assert str(caught.value).startswith(str(tmp_path))
    assert "\n" not in str(caught.value)
