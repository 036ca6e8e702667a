"""Pre-trained weights, from their files to the first step of a classifier."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.fit import fit

PARAMS = params.Params.model_validate(shrunk_values())
MODEL = PARAMS.model_of("bilstm")


class FirstEmbedding(pl.Callback):
    """Copies the embedding before the first step."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.weight = module.model.embedding.weight.detach().clone()


def embedding(rows: int = 500, size: int = 8, seed: int = 1) -> dict[str, torch.Tensor]:
    return {pretrained.EMBEDDING: torch.randn(rows, size, generator=torch.Generator().manual_seed(seed))}


def error_of(model: ModelParams, folder: Path, tokens: Path) -> str:
    with pytest.raises(UserError) as caught:
        pretrained.load(model, folder, tokens)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_model_without_word_vectors_reads_nothing(tmp_path, tokens):
    random = params.updated(MODEL, {"word_vectors": False})
    assert pretrained.load(random, tmp_path / "missing", tokens) is None
    assert pretrained.digest(random, tmp_path / "missing") is None


def test_equal_weights_are_equal_files_and_others_have_another_digest(tmp_path, tokens):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        pretrained.save(embedding(seed=seed), {"epochs": 1}, tokens, tmp_path / name)
        digests.append(pretrained.digest(MODEL, tmp_path / name))
    assert digests[0] == digests[1] != digests[2]
    for file in (pretrained.WEIGHTS, pretrained.DESCRIPTION):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_the_error_for_a_missing_folder_has_a_cure(tmp_path, tokens):
    message = error_of(MODEL, tmp_path / "vectors", tokens)
    assert message.startswith(f"{tmp_path}/vectors is missing")
    assert message.endswith("run `dvc repro word_vectors` (or `dvc pull`)")
    with pytest.raises(UserError, match="is missing"):
        pretrained.digest(MODEL, tmp_path / "vectors")


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        (embedding(size=9), ["embedding.weight is (300, 9)", "(300, 8)"]),
        (embedding(rows=200), ["embedding.weight is (200, 8)", "(300, 8)"]),
        ({"encoder.layers.3.0.weight_ih_l0": torch.ones(2)}, ["encoder.layers.3.0", "missing"]),
    ],
)
def test_weights_of_other_sizes_are_refused_in_one_line(learned, words, tmp_path, tokens):
    pretrained.save(learned, {"epochs": 1}, tokens, tmp_path / "vectors")
    message = error_of(MODEL, tmp_path / "vectors", tokens)
    for part in [*words, "params.yaml", "dvc repro word_vectors"]:
        assert part in message


def test_weights_learned_from_other_reviews_are_refused(tmp_path, tokens):
    pretrained.save(embedding(), {"epochs": 1}, tokens, tmp_path / "vectors")
    other = tmp_path / "tokens"
    other.mkdir()
    identity = json.loads((tokens / "dataset.json").read_text(encoding="utf-8"))
    (other / "dataset.json").write_text(json.dumps(identity | {"tokens": "others"}), encoding="utf-8")
    assert "learned from other reviews" in error_of(MODEL, tmp_path / "vectors", other)


def test_the_first_step_of_a_classifier_has_the_first_rows_of_the_weights(tmp_path, tokens):
    learned = embedding()
    pretrained.save(learned, {"epochs": 1}, tokens, tmp_path / "vectors")
    first = FirstEmbedding()
    model = params.updated(MODEL, {"max_epochs": 1})
    fit(
        "bilstm",
        model,
        PARAMS.trainer,
        7,
        tokens=tokens,
        checkpoints=None,
        logger=False,
        callbacks=[first],
        init_state=pretrained.load(model, tmp_path / "vectors", tokens),
    )
    assert torch.equal(first.weight, learned[pretrained.EMBEDDING][: MODEL.vocab_size])


@pytest.mark.parametrize("file", [pretrained.WEIGHTS, pretrained.DESCRIPTION])
def test_a_truncated_file_is_refused_in_one_line(file, tmp_path, tokens):
    pretrained.save(embedding(), {"epochs": 1}, tokens, tmp_path / "vectors")
    (tmp_path / "vectors" / file).write_bytes(b'{"cut off')
    assert "vectors holds a corrupt file" in error_of(MODEL, tmp_path / "vectors", tokens)
