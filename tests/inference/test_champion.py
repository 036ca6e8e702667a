"""Which version a version is compared with, and its predictions, saved in its run."""

import numpy as np
import pytest
from mlflow import MlflowClient

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.inference import champion
from sentiment_rnn.tracking import promotion

NAME = "model"
SPLIT = Split(["a good film", "a bad film"], [1, 0])


@pytest.fixture
def versions(client: MlflowClient) -> MlflowClient:
    """Four versions, evaluated on the test splits a, a, a and b; none is champion."""
    client.create_registered_model(NAME)
    run = client.create_run("0")
    for number, test_hash in enumerate("aaab", start=1):
        client.create_model_version(NAME, "file:///nowhere", run.info.run_id)
        client.set_model_version_tag(NAME, str(number), "test.content_hash", test_hash)
    return client


def previous(client: MlflowClient, version: str) -> str | None:
    found = champion.previous(client, NAME, version, "a")
    return found and str(found.version)


def test_it_is_the_champion_or_the_one_that_the_champion_replaced(versions):
    assert previous(versions, "1") is None
    for version in ("1", "3", "2"):
        promotion.promote_by_hand(versions, NAME, version, "test")
    assert [previous(versions, version) for version in ("1", "2", "3", "5")] == ["2", "3", "2", "2"]
    versions.delete_model_version(NAME, "3")
    assert previous(versions, "2") == "1"
    versions.delete_model_version(NAME, "1")
    assert previous(versions, "2") is None


def test_one_that_was_evaluated_on_another_test_split_or_never_is_none(versions):
    promotion.promote_by_hand(versions, NAME, "4", "test")
    assert previous(versions, "3") is None
    versions.delete_model_version_tag(NAME, "4", "test.content_hash")
    assert previous(versions, "3") is None


class Model:
    """Counts its calls."""

    calls = 0

    def predict(self, texts: list[str]) -> list[dict]:
        Model.calls += 1
        return [{"probability": 0.9 if "good" in text else 0.2} for text in texts]


def test_a_version_without_saved_predictions_is_predicted_once(versions, monkeypatch, tmp_path):
    monkeypatch.setattr(Model, "calls", 0)
    monkeypatch.setattr(champion.registry, "load", lambda name, number: Model())
    run = versions.create_run(versions.create_experiment("e", str(tmp_path / "artifacts")))
    first, second = (versions.create_model_version(NAME, "file:///nowhere", run.info.run_id) for _ in range(2))
    for _ in range(2):
        assert champion.predictions_of(versions, first, SPLIT).tolist() == [0.9, 0.2]
    assert Model.calls == 1
    reordered = Split(SPLIT.texts[::-1], SPLIT.labels[::-1])
    assert champion.predictions_of(versions, first, reordered).tolist() == [0.2, 0.9], "another order: again"
    assert Model.calls == 2
    champion.save_predictions(versions, run.info.run_id, str(second.version), np.array([0.6, 0.4]), SPLIT)
    assert champion.predictions_of(versions, second, SPLIT).tolist() == [0.6, 0.4], "versions of one run do not mix"
    assert Model.calls == 2
