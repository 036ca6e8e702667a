"""Which version is the champion: the rule as a table, and the alias in a real registry."""

import mlflow
import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import saved
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.models import Classifier
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.store import connect


def tags(dataset: str = "imdb", accuracy: float = 0.9, fingerprint: str = "f") -> dict[str, str]:
    return {"dataset": dataset, "test.fingerprint": fingerprint, "test.accuracy": f"{accuracy:.6f}"}


@pytest.mark.parametrize(
    ("candidate", "reigning", "promoted", "reason"),
    [
        (tags(), None, True, "there was no champion"),
        (tags(), {}, True, "the champion on something unknown"),
        (tags("sample"), {"dataset": "imdb"}, False, "trained on sample, the champion on imdb"),
        (tags(), {"dataset": "imdb"}, True, "the champion was never evaluated"),
        (tags("sample"), None, True, "there was no champion"),
        (tags(accuracy=0.91), tags(accuracy=0.90), True, "test accuracy 0.9100, the champion's 0.9000"),
        (tags(accuracy=0.90), tags(accuracy=0.90), True, "test accuracy 0.9000, the champion's 0.9000"),
        (tags(accuracy=0.89), tags(accuracy=0.90), False, "0.8900 is below the champion's 0.9000"),
        (tags("sample", 1.0), tags("imdb", 0.5), False, "trained on sample, the champion on imdb"),
        (tags("imdb", 0.5), tags("sample", 1.0), True, "trained on imdb, the champion on sample"),
        (tags("sample", 0.5, "new"), tags("sample", 0.9, "old"), True, "tested on another corpus"),
        (tags("sample", 1.0, "new"), tags("imdb", 0.5, "old"), False, "trained on sample"),
        (tags(accuracy=0.1000), tags(accuracy=0.0999), True, "test accuracy 0.1000"),
        (tags(accuracy=1.0), tags(accuracy=0.95), True, "test accuracy 1.0000"),
    ],
)
def test_the_rule(candidate, reigning, promoted, reason):
    verdict = registry.judge(candidate, reigning)
    assert verdict.promoted is promoted
    assert reason in verdict.reason


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
    saved.save(Classifier(**model.architecture()).eval(), model.architecture(), Encoding(**model.encoding()), folder)
    return folder


def registered(client, name: str, count: int) -> list[str]:
    """`count` versions of a model, empty ones: promotion reads their tags alone."""
    client.create_registered_model(name)
    return [str(client.create_model_version(name, f"file:///nowhere/{number}").version) for number in range(count)]


def champion(client, name: str) -> str:
    return str(client.get_model_version_by_alias(name, "champion").version)


def test_the_alias_moves_to_a_version_that_is_as_good_and_stays_otherwise(client):
    assert registry.champion(client, "film") is None
    first, worse, equal, sample = registered(client, "film", 4)
    assert registry.champion(client, "film") is None
    assert registry.promote(client, "film", first, tags(accuracy=0.90)).promoted
    assert champion(client, "film") == first
    assert not registry.promote(client, "film", worse, tags(accuracy=0.89)).promoted
    assert champion(client, "film") == first
    assert registry.promote(client, "film", equal, tags(accuracy=0.90)).promoted
    assert champion(client, "film") == equal
    assert not registry.promote(client, "film", sample, tags("sample", 1.0)).promoted
    assert champion(client, "film") == equal


def test_the_measured_figures_and_the_verdict_become_tags(client):
    first, worse = registered(client, "tagged", 2)
    registry.promote(client, "tagged", first, tags(accuracy=0.90))
    verdict = registry.promote(client, "tagged", worse, tags(accuracy=0.89))
    found = client.get_model_version("tagged", worse)
    assert found.tags == {**tags(accuracy=0.89), "promotion": verdict.reason}
    assert "| accuracy |  | 0.8900 |" in found.description


def test_imdb_takes_over_from_the_sample(client):
    sample, imdb = registered(client, "replaced", 2)
    registry.promote(client, "replaced", sample, tags("sample", 1.0))
    registry.promote(client, "replaced", imdb, tags("imdb", 0.5))
    assert champion(client, "replaced") == imdb


def test_the_champion_evaluated_again_is_not_compared_with_itself(client):
    (only,) = registered(client, "again", 1)
    registry.promote(client, "again", only, tags(accuracy=0.90))
    verdict = registry.promote(client, "again", only, tags(accuracy=0.90))
    assert verdict == (True, "it is the champion already")
    assert champion(client, "again") == only


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


def test_a_version_that_is_not_there_names_the_cure(client):
    with pytest.raises(UserError, match=r"version 99 of film .* `dvc repro --single-item --force register`") as raised:
        registry.load("film", "99")
    assert "\n" not in str(raised.value)
