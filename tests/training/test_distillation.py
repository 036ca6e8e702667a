"""Distillation from given probabilities; pseudo-labels as files; the stage pseudo_label."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import logits
from sentiment_rnn.training import distillation

PARAMS = params.Params.model_validate(shrunk_values())
TRAINER = PARAMS.trainer.model_copy(update={"precision": "32-true"})
STUDENT = params.updated(
    PARAMS.model_of("bilstm"),
    {
        "teachers": ["nb_logistic"], "distillation_epochs": 30, "learning_rate": 0.03, "batch_size": 4,
        "ema_decay": None,
        "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
    },
)  # fmt: skip


def distill(tokens, positive, **changes):
    done = distillation.distill(
        "bilstm", params.updated(STUDENT, changes), TRAINER, 7, tokens=tokens, checkpoints=None, pseudo_labels=positive,
        init_state=None,
    )  # fmt: skip
    assert done is not None
    return done


@pytest.fixture
def unlabeled(tokens) -> TokenizedReviews:
    return TokenizedReviews(tokens, ["unsupervised"], Encoding(**STUDENT.encoding()))


def test_the_student_learns_the_probabilities_of_its_teachers(tokens, unlabeled):
    positive = np.where(np.arange(len(unlabeled)) % 2, 0.9, 0.2)
    predicted = 1 / (1 + np.exp(-logits.predict_logits(distill(tokens, positive).model, unlabeled)))
    assert np.abs(predicted - positive).max() < 0.1


def test_pseudo_labels_are_learned_without_label_smoothing_and_adversarial_loss(tokens, unlabeled):
    positive = np.linspace(0.1, 0.9, len(unlabeled))
    plain = distill(tokens, positive, distillation_epochs=1)
    other = distill(tokens, positive, distillation_epochs=1, label_smoothing=0.5, adversarial_epsilon=5.0)
    for name, weights in plain.model.state_dict().items():
        assert torch.equal(weights, other.model.state_dict()[name]), name


def test_probabilities_are_saved_in_float32(tmp_path, tokens):
    positive = np.array([0.25, 0.1, 1.0])
    distillation.save(positive, tokens, tmp_path / "labels")
    assert np.array_equal(
        distillation.load("student", STUDENT, tmp_path / "labels", tokens), positive.astype(np.float32)
    )


def test_missing_pseudo_labels_are_an_error_that_names_the_stage(tmp_path, tokens):
    with pytest.raises(UserError, match="student has teachers: run `dvc repro pseudo_label_student`"):
        distillation.load("student", STUDENT, tmp_path / "none", tokens)


def test_pseudo_labels_of_another_data_set_are_refused(tmp_path, tokens):
    distillation.save(np.full(20, 0.5), tokens, tmp_path / "labels")
    others = tmp_path / "tokens"
    others.mkdir()
    write_json(others / "dataset.json", read_json(tokens / "dataset.json") | {"tokens": "others"})
    with pytest.raises(UserError, match="was made from another data set than"):
        distillation.load("student", STUDENT, tmp_path / "labels", others)


@pytest.mark.parametrize("file", [distillation.PROBABILITIES, distillation.DESCRIPTION])
def test_corrupt_pseudo_labels_are_refused(file, tmp_path, tokens):
    distillation.save(np.full(20, 0.5), tokens, tmp_path / "labels")
    (tmp_path / "labels" / file).write_bytes(b'{"cut off')
    with pytest.raises(UserError, match="labels holds a corrupt file"):
        distillation.load("student", STUDENT, tmp_path / "labels", tokens)
