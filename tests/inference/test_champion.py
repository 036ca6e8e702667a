"""Which version a version is held against, and what that one said, kept in its run."""

import numpy as np
import pytest
from mlflow import MlflowClient

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.inference import champion, predictions

NAME = "model"
TEST = {"dataset": "sample", "test.content_hash": "abc"}
SPLIT = Split(["a good film", "a bad film"], [1, 0])


@pytest.fixture
def versions(client: MlflowClient) -> MlflowClient:
    """Four versions: with accuracies .8, .9, .9, and one of another corpus; none reigns."""
    client.create_registered_model(NAME)
    run = client.create_run("0")
    for accuracy, tags in ((0.8, TEST), (0.9, TEST), (0.9, TEST), (0.99, TEST | {"test.content_hash": "other"})):
        version = client.create_model_version(NAME, "file:///nowhere", run.info.run_id)
        for key, value in {**tags, "test.accuracy": str(accuracy)}.items():
            client.set_model_version_tag(NAME, version.version, key, value)
    return client


def previous(client: MlflowClient, version: int) -> str | None:
    found = champion.previous(client, NAME, str(version), TEST)
    return found and str(found.version)


def test_it_is_the_one_that_reigns(versions):
    versions.set_registered_model_alias(NAME, "champion", "1")
    assert previous(versions, 3) == "1"
    assert previous(versions, 5) == "1"


def test_of_the_one_that_reigns_it_is_the_best_before_it(versions):
    versions.set_registered_model_alias(NAME, "champion", "3")
    assert previous(versions, 3) == "2"
    versions.set_registered_model_alias(NAME, "champion", "1")
    assert previous(versions, 1) is None


def test_one_that_was_tested_on_other_reviews_or_never_is_none(versions):
    versions.set_registered_model_alias(NAME, "champion", "4")
    assert previous(versions, 3) is None
    versions.delete_model_version_tag(NAME, "2", "test.accuracy")
    versions.set_registered_model_alias(NAME, "champion", "2")
    assert previous(versions, 3) is None


def test_a_first_version_has_none(client):
    client.create_registered_model(NAME)
    assert champion.previous(client, NAME, "1", TEST) is None


class Model:
    """Counts how often it is asked."""

    asked = 0

    def predict(self, texts: list[str]) -> list[dict]:
        Model.asked += 1
        return [{"probability": 0.9 if "good" in text else 0.2} for text in texts]


def test_a_version_without_predictions_is_scored_once_and_then_never_again(versions, monkeypatch, tmp_path):
    monkeypatch.setattr(Model, "asked", 0)
    monkeypatch.setattr(champion.registry, "load", lambda name, number: Model())
    run = versions.create_run(versions.create_experiment("e", str(tmp_path / "artifacts")))
    first, second = (versions.create_model_version(NAME, "file:///nowhere", run.info.run_id) for _ in range(2))
    for _ in range(2):
        assert champion.said(versions, first, SPLIT).tolist() == [0.9, 0.2]
    assert Model.asked == 1
    turned = Split(SPLIT.texts[::-1], SPLIT.labels[::-1])
    assert champion.said(versions, first, turned).tolist() == [0.2, 0.9], "in another order it is asked again"
    assert Model.asked == 2
    champion.keep(versions, run.info.run_id, str(second.version), np.array([0.6, 0.4]), SPLIT)
    assert champion.said(versions, second, SPLIT).tolist() == [0.6, 0.4], "versions of one run do not mix"
    assert Model.asked == 2


def test_kept_predictions_hold_no_text(tmp_path):
    path = tmp_path / "said/model.parquet"
    predictions.save(np.array([0.9, 0.2]), SPLIT, path)
    labels, positive = predictions.load(path, SPLIT)
    assert (labels.tolist(), positive.tolist()) == ([1, 0], [0.9, 0.2])
    assert predictions.load(path, Split(["another film", "a bad film"], [1, 0])) is None
    assert b"film" not in path.read_bytes()
