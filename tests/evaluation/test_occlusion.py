"""Which words carry the answers of a model whose every word's worth is known."""

import re

import numpy as np
import pytest

from sentiment_rnn.evaluation.occlusion import carried, ending, excerpt

WORTH = {"great": 2.0, "fine": 0.5, "awful": -3.0, "great-aunt": 9.0}


def ask(texts: list[str]) -> np.ndarray:
    """Adds up known words, each time one stands there."""
    logits = [sum(WORTH.get(word, 0.0) for word in re.findall(r"\w+", text.lower())) for text in texts]
    return 1 / (1 + np.exp(-np.array(logits)))


def test_each_word_is_worth_what_it_adds_wherever_it_stands():
    (worth,) = carried(ask, ["Great, GREAT<br />film! Not awful, fine"])
    assert worth == pytest.approx({"great": 4.0, "film": 0.0, "not": 0.0, "awful": -3.0, "fine": 0.5})


def test_of_a_negative_answer_the_words_that_speak_against_it_are_negative():
    positive, negative = carried(ask, ["great film", "awful and great"])
    assert positive == pytest.approx({"great": 2.0, "film": 0.0})
    assert negative == pytest.approx({"awful": 3.0, "and": 0.0, "great": -2.0})


@pytest.mark.parametrize("text", ["great", "Great great GREAT"])
def test_a_text_of_a_single_word_has_nothing_to_leave_out(text):
    assert carried(ask, [text]) == [{}]


def test_a_model_is_asked_once_about_all_texts():
    calls = []

    def counted(texts: list[str]) -> np.ndarray:
        calls.append(len(texts))
        return ask(texts)

    carried(counted, ["great film", "an awful, awful film"])
    assert calls == [2 + 2 + 3]


def test_certainty_beyond_float64_is_no_error():
    (worth,) = carried(lambda texts: np.array([float("great" in text) for text in texts]), ["great film"])
    assert worth["great"] > 60
    assert worth["film"] == 0


def test_the_excerpt_is_the_stretch_that_carried_most_in_the_texts_own_spelling():
    text = "dull " * 50 + "Great,<br />fine film " + "dull " * 50
    cut = excerpt(text, {"great": 2.0, "fine": 0.5, "film": -0.2, "dull": -0.1}, most=3)
    assert cut == [("…", 0.0), ("Great,", 2.0), ("fine", 0.5), ("film", -0.2), ("…", 0.0)] or cut == [
        ("…", 0.0), ("dull", -0.1), ("Great,", 2.0), ("fine", 0.5), ("…", 0.0),
    ]  # fmt: skip
    assert excerpt("Great film", {"great": 2.0}) == [("Great", 2.0), ("film", 0.0)]
    assert len(excerpt("great " * 500, {"great": 1.0})) == 40 + 1


def test_an_ending_is_the_last_words():
    assert ending("one two<br /><br />three four", most=2) == "… three four"
    assert ending("one two", most=2) == "one two"
