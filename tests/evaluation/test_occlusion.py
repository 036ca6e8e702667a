"""Occlusion importance for a model in which each word's effect is known."""

import re

import numpy as np
import pytest

from sentiment_rnn.evaluation.occlusion import ending, excerpt, occlusion_importance

LOGITS = {"great": 2.0, "fine": 0.5, "awful": -3.0, "great-aunt": 9.0}


def predict(texts: list[str]) -> np.ndarray:
    """A bag of words: the logits of all known words are added."""
    logits = [sum(LOGITS.get(word, 0.0) for word in re.findall(r"\w+", text.lower())) for text in texts]
    return 1 / (1 + np.exp(-np.array(logits)))


def test_the_importance_of_a_word_is_what_its_occurrences_add():
    (importance,) = occlusion_importance(predict, ["Great, GREAT<br />film! Not awful, fine"])
    assert importance == pytest.approx({"great": 4.0, "film": 0.0, "not": 0.0, "awful": -3.0, "fine": 0.5})


def test_words_against_the_predicted_label_are_negative():
    positive, negative = occlusion_importance(predict, ["great film", "awful and great"])
    assert positive == pytest.approx({"great": 2.0, "film": 0.0})
    assert negative == pytest.approx({"awful": 3.0, "and": 0.0, "great": -2.0})


@pytest.mark.parametrize("text", ["great", "Great great GREAT"])
def test_a_text_of_one_distinct_word_has_no_importance(text):
    assert occlusion_importance(predict, [text]) == [{}]


def test_the_model_is_called_once_for_all_texts():
    calls = []

    def counted(texts: list[str]) -> np.ndarray:
        calls.append(len(texts))
        return predict(texts)

    occlusion_importance(counted, ["great film", "an awful, awful film"])
    assert calls == [2 + 2 + 3]


def test_probabilities_of_0_and_1_give_finite_importance():
    (importance,) = occlusion_importance(
        lambda texts: np.array([float("great" in text) for text in texts]), ["great film"]
    )
    assert 60 < importance["great"] < np.inf
    assert importance["film"] == 0


def test_the_excerpt_is_the_most_important_window_as_spelled():
    text = "dull " * 50 + "Great,<br />fine film " + "dull " * 50
    window = excerpt(text, {"great": 2.0, "fine": 0.5, "film": 0.1, "dull": -0.1}, words=3)
    assert window == [("…", 0.0), ("Great,", 2.0), ("fine", 0.5), ("film", 0.1), ("…", 0.0)]
    assert excerpt("Great film", {"great": 2.0}) == [("Great", 2.0), ("film", 0.0)]
    assert len(excerpt("great " * 500, {"great": 1.0})) == 40 + 1


def test_an_ending_is_the_last_words():
    assert ending("one two<br /><br />three four", words=2) == "… three four"
    assert ending("one two", words=2) == "one two"
