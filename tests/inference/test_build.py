"""Trained models to the one that is registered: which, with what temperature, whole or not at all."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import shrunk_values
from sentiment_rnn.inference.build import build_ensemble

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json
from sentiment_rnn.inference import logits, serialization
from sentiment_rnn.models import Classifier

PARAMS = params.Params.model_validate(shrunk_values())


def trained(folder: Path, seed: int, **changes) -> Path:
    """A model that is far too sure of what it says."""
    model = params.updated(PARAMS.model_of("bilstm"), changes)
    torch.manual_seed(seed)
    classifier = Classifier(**model.architecture())
    with torch.no_grad():
        classifier.embedding.weight.mul_(20)
        classifier.readout.weight.mul_(5)
    serialization.save(classifier, model.architecture(), Encoding(**model.encoding()), folder / f"seed-{seed}")
    return folder / f"seed-{seed}"


def test_one_model_keeps_its_weights_and_gets_a_temperature(tokens, tmp_path):
    folder = trained(tmp_path, 1)
    report = build_ensemble([folder], tokens, tmp_path / "out")
    weights = "model.safetensors"
    assert (tmp_path / "out" / weights).read_bytes() == (folder / weights).read_bytes()
    written = read_json(tmp_path / "out/model.json")
    assert written == read_json(folder / "model.json") | {"temperature": report["temperature"]}
    assert report["members"] == 1


def test_several_models_are_their_average_as_the_report_says(tokens, tmp_path):
    folders = [trained(tmp_path, seed) for seed in (1, 2, 3)]
    report = build_ensemble(folders, tokens, tmp_path / "out")
    model, encoding, temperature = serialization.load(tmp_path / "out")
    reviews = TokenizedReviews(tokens, ["validation"], encoding)
    logits = logits.predict_logits(model, reviews)
    members = [logits.predict_logits(serialization.load(folder).model, reviews) for folder in folders]
    assert np.allclose(probabilities(logits), probabilities(np.mean(members, axis=0)), rtol=0, atol=1e-6)
    metrics = evaluate(probabilities(logits.astype(np.float64) / temperature), reviews.labels)
    validation = report["validation"]
    assert (report["members"], report["temperature"], validation["n"]) == (3, temperature, len(reviews))
    assert validation["accuracy"] == metrics["accuracy"]
    assert validation["after"]["log_loss"] == pytest.approx(metrics["log_loss"], abs=1e-6)
    assert validation["after"]["log_loss"] < validation["before"]["log_loss"]
    assert validation["after"]["ece"] < validation["before"]["ece"]
    assert temperature > 1
    assert report["parameters"] == 3 * build_ensemble(folders[:1], tokens, tmp_path / "one")["parameters"]


def test_refits_are_written_with_the_temperature_of_the_models_that_validation_judged(tokens, tmp_path):
    judged = build_ensemble([trained(tmp_path, seed) for seed in (1, 2)], tokens, tmp_path / "out")
    for seed in (1, 2):
        trained(tmp_path / "again", seed + 10).rename(tmp_path / f"seed-{seed}" / serialization.REFIT)
    report = build_ensemble([tmp_path / "seed-1", tmp_path / "seed-2"], tokens, tmp_path / "out")
    assert report == judged | {"refit": True}
    assert judged["refit"] is False
    model, _, temperature = serialization.load(tmp_path / "out")
    assert temperature == judged["temperature"]
    for member, seed in zip(model.members, (1, 2), strict=True):
        refit = serialization.load(tmp_path / f"seed-{seed}" / serialization.REFIT).model
        assert torch.equal(member.embedding.weight, refit.embedding.weight)


def test_models_of_different_kinds_are_refused_and_nothing_is_written(tokens, tmp_path):
    folders = [trained(tmp_path, 1), trained(tmp_path, 2, max_length=40)]
    with pytest.raises(UserError, match=r"seed-2 holds another kind of model than .*seed-1: train .* again$"):
        build_ensemble(folders, tokens, tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_broken_model_is_refused_and_what_was_there_stays(tokens, tmp_path):
    good, broken = trained(tmp_path, 1), trained(tmp_path, 2)
    build_ensemble([good], tokens, tmp_path / "out")
    before = (tmp_path / "out/model.json").read_bytes()
    (broken / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(UserError, match="seed-2 holds a broken file"):
        build_ensemble([good, broken], tokens, tmp_path / "out")
    assert (tmp_path / "out/model.json").read_bytes() == before
