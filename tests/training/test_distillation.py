"""What a classifier learns from a teacher's probabilities, before it sees a label."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import logits
from sentiment_rnn.training import distillation

PARAMS = params.Params.model_validate(shrunk_values())
TRAINER = PARAMS.trainer.model_copy(update={"precision": "32-true"})
PUPIL = params.updated(
    PARAMS.model_of("bilstm"),
    {
        "teachers": ["nb_logistic"], "distillation_epochs": 30, "learning_rate": 0.03, "batch_size": 4, "ema": None,
        "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
    },
)  # fmt: skip


def distill(tokens, positive, **changes):
    done = distillation.distill(
        "bilstm", params.updated(PUPIL, changes), TRAINER, 7, tokens=tokens, checkpoints=None, positive=positive,
        start=None,
    )  # fmt: skip
    assert done is not None
    return done


@pytest.fixture
def unlabelled(tokens) -> TokenizedReviews:
    return TokenizedReviews(tokens, ["unsupervised"], Encoding(**PUPIL.encoding()))


def test_the_pupil_comes_to_say_what_its_teacher_says(tokens, unlabelled):
    positive = np.where(np.arange(len(unlabelled)) % 2, 0.9, 0.2)
    said = 1 / (1 + np.exp(-logits.predict_logits(distill(tokens, positive).model, unlabelled)))
    assert np.abs(said - positive).max() < 0.1, "probabilities, not labels"


def test_neither_smoothing_nor_an_adversary_bends_what_the_teacher_says(tokens, unlabelled):
    positive = np.linspace(0.1, 0.9, len(unlabelled))
    plain = distill(tokens, positive, distillation_epochs=1)
    bent = distill(tokens, positive, distillation_epochs=1, label_smoothing=0.5, adversarial=5.0)
    for name, weights in plain.model.state_dict().items():
        assert torch.equal(weights, bent.model.state_dict()[name]), name


def test_probabilities_are_kept_to_the_last_digit_that_a_model_sees(tmp_path, tokens):
    positive = np.array([0.25, 0.1, 1.0])
    distillation.save(positive, tokens, tmp_path / "taught")
    assert np.array_equal(distillation.load(tmp_path / "taught", tokens), positive.astype(np.float32))


def test_without_a_teacher_one_line_says_what_to_run(tmp_path, tokens):
    with pytest.raises(UserError, match=r"the model has teachers: run `dvc repro best/dvc\.yaml`"):
        distillation.load(tmp_path / "none", tokens)


def test_what_was_said_of_other_reviews_is_not_learned(tmp_path, tokens):
    distillation.save(np.full(20, 0.5), tokens, tmp_path / "taught")
    others = tmp_path / "tokens"
    others.mkdir()
    write_json(others / "dataset.json", read_json(tokens / "dataset.json") | {"tokens": "others"})
    with pytest.raises(UserError, match="is about other reviews than"):
        distillation.load(tmp_path / "taught", others)


@pytest.mark.parametrize("file", [distillation.PROBABILITIES, distillation.DESCRIPTION])
def test_what_was_cut_off_is_told_with_its_cure(file, tmp_path, tokens):
    distillation.save(np.full(20, 0.5), tokens, tmp_path / "taught")
    (tmp_path / "taught" / file).write_bytes(b'{"cut off')
    with pytest.raises(UserError, match="taught holds a broken file"):
        distillation.load(tmp_path / "taught", tokens)
