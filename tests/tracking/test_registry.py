"""Versions of the registered model in a real registry: found by digest, loaded with the code registered with them."""

import pickle
import shutil
from pathlib import Path

import numpy as np
import pytest
from conftest import export_saved, running_in, save_untrained

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.inference.registration import digest, log_version
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.store import connect

TEXTS = ["a great film", "I hated every minute of it"]


@pytest.fixture(scope="module")
def client(tmp_path_factory, empty_store):
    folder = tmp_path_factory.mktemp("registry")
    shutil.copytree(empty_store, folder / "mlruns")
    with running_in(folder):
        yield connect()


@pytest.fixture(scope="module")
def folder(tmp_path_factory, tokens) -> Path:
    """A model with the files that are served."""
    folder = tmp_path_factory.mktemp("model")
    save_untrained("bilstm", folder)
    export_saved(folder, tokens)
    return folder


def register(client, name: str, folder: Path, tokens: Path) -> str:
    run_id = runs.start(client, "synthetic", "bilstm", params={}, tags={}, identity=load_identity(tokens))
    version = log_version(run_id, name, folder)
    tags = {"dataset": "synthetic", registry.DIGEST: digest(folder)}
    registry.describe_version(client, name, version, tags=tags, description="a film")
    return version


def test_a_registered_version_predicts_as_its_model_and_is_found_by_its_digest(client, folder, tokens):
    version = register(client, "served", folder, tokens)
    found = registry.find(client, "served", digest(folder))
    assert str(found.version) == version == "1"
    assert registry.find(client, "served", "0" * 64) is None
    assert found.description.split("\n")[0] == "a film"
    assert client.get_run(found.run_id).info.status == "FINISHED"
    assert "models:/served@champion" in client.get_registered_model("served").description

    predicted = registry.load("served", version).predict(TEXTS)
    expected = Predictor(folder, folder / "tokenizer.json").predict_probabilities(TEXTS)
    assert np.allclose([row["probability"] for row in predicted], expected, rtol=0, atol=1e-6)
    assert [row["label"] for row in predicted] == ["positive" if p >= 0.5 else "negative" for p in expected]


def test_a_version_runs_the_code_that_was_registered_with_it(client, folder, tokens):
    version = register(client, "old", folder, tokens)
    model_id = client.get_model_version("old", version).source.removeprefix("models:/")
    (code,) = Path("mlruns").resolve().glob(f"artifacts/**/{model_id}/**/pyfunc_model.py")
    code.write_text(code.read_text().replace('"probability": probability', '"probability": 0.125'))
    assert [row["probability"] for row in registry.load("old", version).predict(TEXTS)] == [0.125, 0.125]

    (graph,) = code.parent.rglob("model.onnx")
    graph.write_bytes(pickle.dumps("not a graph"))
    with pytest.raises(UserError, match=rf"^version {version} of old cannot be loaded from sqlite:"):
        registry.load("old", version)


def test_a_version_that_is_not_there_names_the_cure(client):
    with pytest.raises(UserError, match=r"version 99 of film .* `sentiment-rnn run evaluate`") as caught:
        registry.load("film", "99")
    assert "\n" not in str(caught.value)


def test_each_version_that_reads_a_test_split_counts_once(client):
    client.create_registered_model("counted")
    read = [("1", "a"), ("1", "a"), ("3", "a"), ("1", "a"), ("3", "b")]
    assert [registry.count_test_reading(client, "counted", *each) for each in read] == [1, 1, 2, 2, 1]
