"""The registered model as MLflow loads it: what it accepts, what it refuses, and that it predicts as torch does."""

import numpy as np
import pandas as pd
import pytest
from conftest import NAME
from mlflow.exceptions import MlflowException

from sentiment_rnn.data.synthetic import generate
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import registry

TEXTS = [*generate(4, seed=4)[0], "NA", "null"]


@pytest.fixture(scope="module")
def model(in_champion):
    return registry.load(NAME, "1")


@pytest.fixture(scope="module")
def reference(in_champion) -> Predictor:
    return Predictor(in_champion / "model", in_champion / "model/tokenizer.json")


@pytest.mark.parametrize(
    "given",
    [
        TEXTS,
        np.array(TEXTS),
        np.array(TEXTS, dtype=object),
        pd.Series(TEXTS),
        pd.DataFrame({"text": TEXTS}),
        pd.DataFrame({"text": pd.Series(TEXTS, dtype=object)}),
        pd.DataFrame({"text": TEXTS, "id": range(len(TEXTS))}),
        pd.DataFrame(TEXTS),
    ],
    ids=["list", "array", "object array", "series", "frame", "object frame", "more columns", "unnamed column"],
)
def test_it_accepts(given, model, reference):
    predictions = model.predict(given)
    expected = [*reference.predict_probabilities(TEXTS[:4]), 0.5, 0.5]  # the last are no words of the vocabulary
    assert np.allclose([row["probability"] for row in predictions], expected, rtol=0, atol=1e-6)
    assert [row["label"] for row in predictions] == ["positive" if p >= 0.5 else "negative" for p in expected]
    assert {tuple(map(type, row.values())) for row in predictions} == {(str, float, int)}


def test_it_accepts_one_string(model):
    assert model.predict(TEXTS[0]) == model.predict(TEXTS[:1])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (["good", 3], "text 1 should be a string, it is a number"),
        (["good", None], "text 1 should be a string, it is null"),
        (pd.DataFrame({"text": ["good", np.nan]}), "text 1 should be a string, it is null"),
        (["good", ["bad"]], "text 1 should be a string, it is a list"),
        (pd.DataFrame({"text": ["good", {"a": 1}]}), "text 1 should be a string, it is an object"),
        (pd.DataFrame({"text": pd.Series(["good", "\ud800"], dtype=object)}), "text 1 has a lone surrogate"),
        (pd.DataFrame({"text": pd.Series([], dtype=object)}), "there is no text: nothing to classify"),
        (
            pd.DataFrame({"review": ["good"]}),
            "the texts should be in a column text, the first one; the first is review",
        ),
    ],
)
def test_an_invalid_text_is_refused_with_its_position(given, message, model):
    with pytest.raises(MlflowException) as raised:
        model.predict(given)
    assert raised.value.message.startswith(message)
    assert raised.value.error_code == "INVALID_PARAMETER_VALUE"


@pytest.mark.parametrize("text", ["", " \n\t", "<br /><br />", "zyxwvut qqqqq", "<pad> <unk>"])
def test_a_text_without_a_known_word_has_the_prior(text, model):
    together = model.predict(["film", text, "film film"])
    assert together[1] == {"label": "positive", "probability": 0.5, "known_words": 0}
    assert model.predict([text]) == [together[1]]
    assert [row["known_words"] for row in together] == [1, 0, 2]


def test_a_text_has_the_same_probability_alone_and_in_any_batch(model, reference):
    texts = [*generate(150, seed=3)[0], "film", "bad film", "film " * 300, "good film " * 5_000]
    together = np.array([row["probability"] for row in model.predict(texts)])
    assert together.std() > 0.03, "the texts must differ for the comparison to mean something"
    assert np.allclose(together, reference.predict_probabilities(texts), rtol=0, atol=1e-6)
    order = np.random.default_rng(0).permutation(len(texts))
    shuffled = [row["probability"] for row in model.predict([texts[row] for row in order])]
    assert np.allclose(shuffled, together[order], rtol=0, atol=1e-6)
    for row in range(0, len(texts), 17):
        assert model.predict([texts[row]])[0]["probability"] == pytest.approx(together[row], abs=1e-6)


def test_its_signature_is_one_string_and_three_columns(model):
    signature = model.metadata.signature
    assert [(column.type.name, column.required) for column in signature.inputs] == [("string", True)]
    columns = [(column.name, column.type.name) for column in signature.outputs]
    assert columns == [("label", "string"), ("probability", "double"), ("known_words", "long")]
