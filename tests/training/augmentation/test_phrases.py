"""Phrases of train that stand between a negation and its word: none has a polarity or a negation of its own."""

from sentiment_rnn.training.augmentation.lexicon import Lexicon
from sentiment_rnn.training.augmentation.phrases import collect

WORDS = "the director was seen in second half of it who plays father as i saw and not never"
LEXICON = Lexicon(([], []), {}, frozenset(WORDS.split()))


def phrases(text: str):
    return collect([text.split()] * 2, LEXICON)


def test_a_clause_between_commas_is_an_aside_and_one_after_who_is_relative():
    found = phrases("well , in the second half , the man who plays the father , is here . the director was seen .")
    assert found.asides == ["in the second half"]
    assert found.relative_clauses == ["plays the father"]
    assert found.subjects == ["the director"]


def test_phrases_with_other_words_or_a_negation_are_left_out():
    found = phrases(
        "well , as awful it was , and not seen , in , the director who never plays it . the awful was seen ."
    )
    assert not any(found)


def test_what_is_between_other_marks_is_no_aside():
    assert not phrases(". in the second half . , as i saw it ! the father , he").asides
