"""Weights that pre-training learned, from the folder to a classifier's first step."""

import json
from pathlib import Path

import pytest
import pytorch_lightning as pl
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training.fit import fit

PARAMS = params.Params.model_validate(shrunk_values())
BEST = PARAMS.model_of("best")


class FirstEmbedding(pl.Callback):
    """What the first step meets."""

    def on_train_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seen = module.model.embedding.weight.detach().clone()


def embedding(rows: int = 500, size: int = 8, seed: int = 1) -> dict[str, torch.Tensor]:
    return {weights.EMBEDDING: torch.randn(rows, size, generator=torch.Generator().manual_seed(seed))}


def refusal(model: ModelParams, folder: Path, tokens: Path) -> str:
    with pytest.raises(UserError) as caught:
        weights.load(model, folder, tokens)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_a_smaller_vocabulary_takes_the_first_rows(tmp_path, tokens):
    learned = embedding()
    weights.save(learned, {"kind": "vectors"}, tokens, tmp_path / "best")
    loaded = weights.load(BEST, tmp_path / "best", tokens)
    assert set(loaded) == {weights.EMBEDDING}
    assert torch.equal(loaded[weights.EMBEDDING], learned[weights.EMBEDDING][: BEST.vocab_size])


def test_a_model_that_is_not_pretrained_reads_nothing(tmp_path, tokens):
    drawn = params.updated(BEST, {"pretrained": False})
    assert weights.load(drawn, tmp_path / "nothing", tokens) is None
    assert weights.digest(drawn, tmp_path / "nothing") is None


def test_no_weights_are_weights_too(tmp_path, tokens):
    weights.save({}, {"kind": "none"}, tokens, tmp_path / "best")
    assert weights.load(BEST, tmp_path / "best", tokens) == {}
    assert weights.digest(BEST, tmp_path / "best")


def test_the_same_weights_are_the_same_files_and_others_have_another_digest(tmp_path, tokens):
    digests = []
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        weights.save(embedding(seed=seed), {"kind": "vectors"}, tokens, tmp_path / name)
        digests.append(weights.digest(BEST, tmp_path / name))
    assert digests[0] == digests[1] != digests[2]
    for file in (weights.WEIGHTS, weights.DESCRIPTION):
        assert (tmp_path / "a" / file).read_bytes() == (tmp_path / "b" / file).read_bytes()


def test_a_folder_that_is_not_there_is_one_line_that_names_the_command(tmp_path, tokens):
    said = refusal(BEST, tmp_path / "best", tokens)
    assert said.startswith(f"{tmp_path}/best is not there")
    assert "dvc repro best/dvc.yaml:pretrain" in said
    with pytest.raises(UserError, match="is not there"):
        weights.digest(BEST, tmp_path / "best")


@pytest.mark.parametrize(
    ("learned", "words"),
    [
        (embedding(size=9), ["embedding.weight is (300, 9)", "(300, 8)"]),
        (embedding(rows=200), ["embedding.weight is (200, 8)", "(300, 8)"]),
        ({"encoder.layers.3.0.weight_ih_l0": torch.ones(2)}, ["encoder.layers.3.0", "not there"]),
    ],
)
def test_weights_of_other_sizes_are_one_line_that_names_them(learned, words, tmp_path, tokens):
    weights.save(learned, {"kind": "vectors"}, tokens, tmp_path / "best")
    said = refusal(BEST, tmp_path / "best", tokens)
    for part in [*words, "params.yaml", "dvc repro best/dvc.yaml:pretrain"]:
        assert part in said


def test_weights_whose_ids_mean_other_words_are_refused(tmp_path, tokens):
    weights.save(embedding(), {"kind": "vectors"}, tokens, tmp_path / "best")
    other = tmp_path / "tokens"
    other.mkdir()
    identity = json.loads((tokens / "dataset.json").read_text())
    (other / "dataset.json").write_text(json.dumps(identity | {"tokens": "others"}))
    assert "learned from other reviews" in refusal(BEST, tmp_path / "best", other)


def test_a_classifier_has_them_bit_for_bit_before_its_first_step(tmp_path, tokens):
    learned = embedding()
    weights.save(learned, {"kind": "vectors"}, tokens, tmp_path / "best")
    first = FirstEmbedding()
    short = params.updated(BEST, {"max_epochs": 1})
    start = weights.load(short, tmp_path / "best", tokens)
    folders = {"tokens": tokens, "checkpoints": None, "logger": False}
    fit("best", short, PARAMS.trainer, 7, **folders, callbacks=[first], start=start)
    assert first.seen.numpy().tobytes() == learned[weights.EMBEDDING][:300].numpy().tobytes()


@pytest.mark.parametrize("file", [weights.WEIGHTS, weights.DESCRIPTION])
def test_weights_that_were_cut_off_are_told_with_their_cure(file, tmp_path, tokens):
    weights.save(embedding(), {"kind": "vectors"}, tokens, tmp_path / "best")
    (tmp_path / "best" / file).write_bytes(b'{"cut off')
    assert "best holds a broken file" in refusal(BEST, tmp_path / "best", tokens)
