"""The stage compare: each seed's model on test, and the caption's facts."""

import pytest
import torch
from conftest import ROOT, shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.compare import embedding, evaluate_seed
from sentiment_rnn.models import Classifier


@pytest.mark.parametrize(("seed", "bias"), [(1, 5.0), (2, -5.0)])
def test_each_seeds_model_is_evaluated_on_test(seed, bias, tokens, tmp_path):
    model = params.Params.model_validate(shrunk_values()).model_of("bilstm")
    encoding = Encoding(**model.encoding())
    labels = TokenizedReviews(tokens, ["test"], encoding).labels
    classifier = Classifier(**model.architecture())
    torch.nn.init.zeros_(classifier.readout.weight)
    torch.nn.init.constant_(classifier.readout.bias, bias)  # predicts one class for all reviews
    serialization.save(classifier, model.architecture(), encoding, tmp_path / f"seed-{seed}")
    report = evaluate_seed({"seed": seed, "epochs": 4}, tmp_path, tokens.parent / "raw", tokens)
    assert (report["seed"], report["epochs"], report["test_reviews"]) == (seed, 4, len(labels))
    correct = float(labels.mean()) if bias > 0 else 1 - float(labels.mean())
    assert report["test_accuracy"] == pytest.approx(correct)
    log_loss = torch.nn.functional.softplus(torch.tensor([-5.0, 5.0]))
    assert report["test_loss"] == pytest.approx(float(correct * log_loss[0] + (1 - correct) * log_loss[1]), rel=1e-4)


def test_the_embeddings_of_params_yaml_as_the_caption_groups_them():
    chosen = params.load(ROOT / "params.yaml")
    names = [*chosen.architectures, "nb_logistic"]
    groups = {kind: [name for name in names if embedding(chosen, name) == kind] for kind in ("random", "fixed", None)}
    assert groups == {"random": ["bilstm_keras"], "fixed": ["echo_state", "evolved_lstm"], None: ["nb_logistic"]}
