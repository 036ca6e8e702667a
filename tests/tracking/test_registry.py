"""Versions of the registered model in a real registry: made once, found again, loaded with the code they came with."""

import pickle
import shutil
import sys
from pathlib import Path

import mlflow
import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.models import Classifier
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.store import connect


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    folder = tmp_path_factory.mktemp("registry")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow itself sets both, for its children
            patch.setenv(name, f"sqlite:///{folder}/mlruns/mlflow.db")
        yield connect()
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)


@pytest.fixture(scope="module")
def model_folder(tmp_path_factory):
    model = params.Params.model_validate(shrunk_values()).model_of("bilstm")
    folder = tmp_path_factory.mktemp("model")
    torch.manual_seed(0)
    serialization.save(
        Classifier(**model.architecture()).eval(), model.architecture(), Encoding(**model.encoding()), folder
    )
    return folder


def test_a_registered_version_gives_what_the_model_gives(client, model_folder, tokens):
    identity = load_identity(tokens)
    run_id = runs.start(client, "sample", "bilstm", params={}, tags={}, identity=identity)
    tokenizer = tokens / "tokenizer.json"
    version = registry.register(
        run_id, "served", model_folder=model_folder, tokenizer_file=tokenizer, tags={"seed": "7"}, description="a film"
    )
    found = client.get_model_version("served", version)
    assert (version, found.run_id, found.tags["seed"]) == ("1", run_id, "7")
    assert found.description.split("\n")[0] == "a film"
    model = client.get_registered_model("served")
    assert "models:/served@champion" in model.description
    assert model.tags["output"] == "label, probability"
    assert client.get_run(run_id).info.status == "FINISHED"

    again = registry.register(
        run_id, "served", model_folder=model_folder, tokenizer_file=tokenizer, tags={"seed": "7"}, description="a film"
    )
    assert again == version, "the same model is no new version"

    texts = ["a great film", "I hated every minute of it"]
    answers = registry.load("served", version).predict(texts)
    expected = Predictor(model_folder, tokenizer).positive(texts)
    assert np.allclose([answer["probability"] for answer in answers], expected, rtol=0, atol=1e-6)
    assert [answer["label"] for answer in answers] == ["positive" if p >= 0.5 else "negative" for p in expected]


def test_a_version_runs_the_code_that_it_was_registered_with(client, model_folder, tokens):
    identity = load_identity(tokens)
    run_id = runs.start(client, "sample", "bilstm", params={}, tags={}, identity=identity)
    files = {"model_folder": model_folder, "tokenizer_file": tokens / "tokenizer.json"}
    version = registry.register(run_id, "old", **files, tags={}, description="")
    (code,) = Path("mlruns").resolve().glob(f"artifacts/**/{_model_id(client, version)}/**/predictor.py")
    code.write_text(code.read_text().replace("return probabilities", "return probabilities * 0 + 0.125"))
    before = sys.modules["sentiment_rnn.inference.predictor"], list(sys.path)

    texts = ["a great film", "I hated every minute of it"]
    assert [answer["probability"] for answer in registry.load("old", version).predict(texts)] == [0.125, 0.125]
    assert (sys.modules["sentiment_rnn.inference.predictor"], sys.path) == before
    assert sys.modules["sentiment_rnn.inference.predictor"].Predictor is Predictor
    assert Predictor(*files.values()).positive(texts)[0] != 0.125

    (weights,) = code.parents[2].parent.rglob("model.safetensors")
    weights.write_bytes(pickle.dumps("not weights"))
    with pytest.raises(UserError, match=r"holds a broken file \(SafetensorError\)"):
        registry.load("old", version)


def _model_id(client, version: str) -> str:
    return client.get_model_version("old", version).source.removeprefix("models:/")


def test_a_model_that_other_code_would_answer_for_is_a_new_version(client, model_folder, tokens, monkeypatch, tmp_path):
    files = {"model_folder": model_folder, "tokenizer_file": tokens / "tokenizer.json"}
    client.create_registered_model("code")
    version = client.create_model_version("code", "file:///nowhere").version
    client.set_model_version_tag("code", version, "files.sha256", registry._digest(*files.values()))
    assert str(registry.find(client, "code", **files).version) == str(version)
    shutil.copytree(registry.PACKAGE, tmp_path / "sentiment_rnn", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setattr(registry, "PACKAGE", tmp_path / "sentiment_rnn")
    assert str(registry.find(client, "code", **files).version) == str(version), "the same code, elsewhere"
    with (tmp_path / "sentiment_rnn" / "inference" / "served.py").open("a") as served:
        served.write("# another line\n")
    assert registry.find(client, "code", **files) is None


def test_a_version_that_is_not_there_names_the_cure(client):
    with pytest.raises(UserError, match=r"version 99 of film .* `dvc repro --single-item --force register`") as raised:
        registry.load("film", "99")
    assert "\n" not in str(raised.value)
