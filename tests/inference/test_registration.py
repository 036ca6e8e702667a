"""The registered model: its files, its temperature, the digest that identifies it."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import CLASS_NAMES as NAMES
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json
from sentiment_rnn.inference import pyfunc_model, registration, serialization
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.inference.registration import build_ensemble
from sentiment_rnn.models import Classifier

PARAMS = params.Params.model_validate(shrunk_values())


def trained(folder: Path, seed: int, **changes) -> Path:
    """Save an untrained, overconfident model."""
    model = params.updated(PARAMS.model_of("bilstm"), changes)
    torch.manual_seed(seed)
    classifier = Classifier(**model.architecture())
    with torch.no_grad():
        classifier.embedding.weight.mul_(20)
        classifier.readout.weight.mul_(5)
    serialization.save(classifier, model.architecture(), Encoding(**model.encoding()), folder / f"seed-{seed}")
    return folder / f"seed-{seed}"


def test_a_single_model_is_exported_unchanged_but_for_its_temperature(tokens, tmp_path):
    folder = trained(tmp_path, 1)
    report = build_ensemble([folder], tokens, tmp_path / "out", NAMES)
    weights = "model.safetensors"
    assert (tmp_path / "out" / weights).read_bytes() == (folder / weights).read_bytes()
    written = read_json(tmp_path / "out/model.json")
    assert written == read_json(folder / "model.json") | {"temperature": report["temperature"]}
    assert report["members"] == 1


def test_the_exported_model_answers_with_the_class_names_of_its_data_set(tokens, tmp_path):
    build_ensemble([trained(tmp_path, 1)], tokens, tmp_path / "out", ("sad", "glad"))
    model = pyfunc_model.Sentiment(tmp_path / "out/model.onnx", tmp_path / "out/tokenizer.json")
    texts = [f"number {row} is good" for row in range(20)]
    answers = model.predict(texts)
    assert {row["label"] for row in answers} <= {"sad", "glad"}
    assert all((row["label"] == "glad") == (row["probability"] >= 0.5) for row in answers)


def test_several_models_become_an_ensemble_whose_metrics_are_reported(tokens, tmp_path):
    folders = [trained(tmp_path, seed) for seed in (1, 2, 3)]
    report = build_ensemble(folders, tokens, tmp_path / "out", NAMES)
    model, encoding, temperature = serialization.load(tmp_path / "out")
    reviews = TokenizedReviews(tokens, ["validation"], encoding)
    logits = predict_logits(model, reviews)
    members = [predict_logits(serialization.load(folder).model, reviews) for folder in folders]
    assert np.allclose(probabilities(logits), probabilities(np.mean(members, axis=0)), rtol=0, atol=1e-6)
    metrics = evaluate(probabilities(logits.astype(np.float64) / temperature), reviews.labels)
    validation = report["validation"]
    assert (report["members"], report["temperature"], validation["n"]) == (3, temperature, len(reviews))
    assert validation["accuracy"] == metrics["accuracy"]
    assert validation["after"]["log_loss"] == pytest.approx(metrics["log_loss"], abs=1e-6)
    assert validation["after"]["log_loss"] < validation["before"]["log_loss"]
    assert validation["after"]["ece"] < validation["before"]["ece"]
    assert temperature > 1
    assert report["parameters"] == 3 * build_ensemble(folders[:1], tokens, tmp_path / "one", NAMES)["parameters"]


def test_refits_are_exported_with_the_temperature_of_the_models_before_the_refit(tokens, tmp_path):
    before = build_ensemble([trained(tmp_path, seed) for seed in (1, 2)], tokens, tmp_path / "out", NAMES)
    for seed in (1, 2):
        trained(tmp_path / "again", seed + 10).rename(tmp_path / f"seed-{seed}" / serialization.REFIT)
    report = build_ensemble([tmp_path / "seed-1", tmp_path / "seed-2"], tokens, tmp_path / "out", NAMES)
    assert before["refit"] is False
    assert report == before | {"refit": True}
    model, _, temperature = serialization.load(tmp_path / "out")
    assert temperature == before["temperature"]
    for member, seed in zip(model.members, (1, 2), strict=True):
        refit = serialization.load(tmp_path / f"seed-{seed}" / serialization.REFIT).model
        assert torch.equal(member.embedding.weight, refit.embedding.weight)


def test_a_refused_model_leaves_the_previous_files(tokens, tmp_path):
    good, other, corrupt = trained(tmp_path, 1), trained(tmp_path, 2, max_length=40), trained(tmp_path, 3)
    build_ensemble([good], tokens, tmp_path / "out", NAMES)
    before = (tmp_path / "out/model.json").read_bytes()
    (corrupt / "model.safetensors").write_bytes(b"cut off")
    with pytest.raises(UserError, match=r"seed-2 has another architecture than .*seed-1: train both again$"):
        build_ensemble([good, other], tokens, tmp_path / "out", NAMES)
    with pytest.raises(UserError, match=r"seed-3 .*\(SafetensorError\)"):
        build_ensemble([good, corrupt], tokens, tmp_path / "out", NAMES)
    assert (tmp_path / "out/model.json").read_bytes() == before


def test_the_digest_is_of_the_served_files_and_a_model_is_always_exported_to_the_same_bytes(
    tokens, tmp_path, monkeypatch
):
    folder = trained(tmp_path, 1)
    build_ensemble([folder], tokens, tmp_path / "out", NAMES)
    original = registration.digest(tmp_path / "out")
    build_ensemble([trained(tmp_path, 2)], tokens, tmp_path / "other", NAMES)
    assert registration.digest(tmp_path / "other") != original
    monkeypatch.chdir(tmp_path)
    build_ensemble([folder], tokens, Path("again"), NAMES)
    assert registration.digest(Path("again")) == original, "neither the place nor what was exported before matters"
    for file in (registration.CODE, tmp_path / "again/model.onnx", tmp_path / "again/tokenizer.json"):
        copy = tmp_path / f"changed-{file.name}"
        copy.write_bytes(file.read_bytes() + b"\n")
        with monkeypatch.context() as patch:
            if file == registration.CODE:
                patch.setattr(registration, "CODE", copy)
            else:
                shutil.copy(copy, file)
            assert registration.digest(Path("again")) != original
        build_ensemble([folder], tokens, Path("again"), NAMES)
    (tmp_path / "again/model.json").write_text("")
    assert registration.digest(Path("again")) == original, "what is not served does not matter"
