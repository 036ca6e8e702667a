"""A model written and read again is the same function; nothing is pickled."""

import pytest
import torch

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import saved
from sentiment_rnn.models import ENCODERS, Classifier


def architecture(cell: str) -> dict:
    return {
        "vocab_size": 30, "embedding_size": 6, "cell": cell, "hidden_size": 4, "num_layers": 2, "bidirectional": True,
        "initial": "keras", "memory": None,
        "merge": "concat", "window": 4, "spectral_radius": 0.9, "leak": 0.5, "input_scale": 1.0, "heads": 2,
        "pooling": ["last", "max"], "word_dropout": 0.5, "embedding_dropout": 0.5, "dropout": 0.5,
    }  # fmt: skip


@pytest.mark.parametrize("cell", ENCODERS)
def test_a_model_read_again_gives_the_same_logits(cell, tmp_path):
    torch.manual_seed(0)
    model = Classifier(**architecture(cell)).eval()
    encoding = Encoding(30, 9, "both", "back")
    saved.save(model, architecture(cell), encoding, tmp_path / "model")
    again, read = saved.load(tmp_path / "model")
    ids, lengths = torch.randint(2, 30, (9, 4)), torch.tensor([9, 5, 2, 1])
    assert read == encoding
    assert not again.training, "dropout must be off"
    assert torch.equal(again(ids, lengths), model(ids, lengths))


def test_only_safetensors_and_json_are_written(tmp_path):
    saved.save(Classifier(**architecture("lstm")), architecture("lstm"), Encoding(30, 9, "head", "back"), tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model.json", "model.safetensors"]


def test_a_folder_without_a_model_names_the_cure(tmp_path):
    with pytest.raises(UserError, match=r"holds no trained model: run `dvc repro train`"):
        saved.load(tmp_path)
