"""The suite's cases: how many, which labels, what changes between the texts of a case."""

import re
import subprocess
import sys
from collections import Counter

import pytest

from sentiment_rnn.evaluation.behaviour import words
from sentiment_rnn.evaluation.behaviour.cases import CASES, DIRECTION, INVARIANCE, MINIMUM_FUNCTIONALITY, Case, suite


def of(test: str) -> list[Case]:
    return [case for case in suite() if case.test == test]


def test_each_test_has_different_cases_half_of_them_for_each_label():
    counts = Counter((case.capability, case.test) for case in suite())
    assert set(counts.values()) == {CASES, 8}
    assert sum(counts.values()) > 3000
    assert len({(case.test, case.texts) for case in suite()}) == len(suite())
    for case in suite():
        assert (case.label is None) == (case.kind == INVARIANCE)
        assert len(case.texts) == (1 if case.kind == MINIMUM_FUNCTIONALITY else 2)
        assert len(set(case.texts)) == len(case.texts)
    for test in counts:
        labels = Counter(case.label for case in suite() if (case.capability, case.test) == test)
        if None not in labels and "added" not in test[1] and test[1] != "first sentences":
            assert labels == {0: CASES / 2, 1: CASES / 2}


def test_another_process_has_the_same_cases():
    code = "from sentiment_rnn.evaluation.behaviour.cases import suite; print(repr(suite()))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == repr(suite())


def test_the_texts_are_sentences():
    for case in suite():
        for text in case.texts:
            assert not re.search(r"[{}]|\b[Aa] [aeiou]|  ", text), text
            assert case.test == "case" or text[0].isupper() or text[:4] in ("http", "www."), text


@pytest.mark.parametrize(
    ("test", "values"),
    [
        ("names", words.NAMES),
        ("places", words.PLACES),
        ("numbers", [str(number) for number in range(21, 99)]),
        ("gender", words.GROUPS["gender"]),
        ("religion", words.GROUPS["religion"]),
    ],
)
def test_an_exchange_changes_words_of_one_list(test, values):
    for case in of(test):
        original, changed = (re.sub(r"\bAn\b|\ban\b", "a", text) for text in case.texts)
        differing = {
            word.removeprefix("19") if test == "numbers" else word
            for pair in zip(re.findall(r"\w+", original), re.findall(r"\w+", changed), strict=True)
            if pair[0].lower() != pair[1].lower()
            for word in pair
        }
        assert len(differing) == len(differing & set(values)) == 2, case


def test_lengths_are_those_of_the_tests_names():
    for test, low, high in (("3 words", 3, 3), ("30 words", 30, 45), ("300 words", 300, 320)):
        assert all(low <= len(case.texts[0].split()) <= high for case in of(test))


def test_a_typo_exchanges_two_letters_and_case_changes_no_letter():
    for original, changed in (case.texts for case in of("typos")):
        different = [place for place, letter in enumerate(original) if changed[place] != letter]
        assert different == [different[0], different[0] + 1]
        assert sorted(original) == sorted(changed)
    for original, changed in (case.texts for case in of("case")):
        assert original.lower() == changed.lower()


def test_contractions_are_undone_by_spelling_them_out():
    for original, contracted in (case.texts for case in of("contractions")):
        full = re.sub(r"n't\b", " not", contracted)
        for short, long in (("'s ", " is "), ("'re", " are"), ("'m", " am"), ("'ll", " will")):
            full = full.replace(short, long)
        assert full.replace("is accent", "'s accent").replace(" 's", "'s") == original


def test_praise_raises_and_reducers_lower():
    assert {case.label for case in of("praise added")} == {1}
    assert {case.label for case in of("blame added")} == {0}
    for case in of("reducers"):
        adjective = re.search(r"(\w+)\.$", case.texts[1])
        assert case.kind == DIRECTION
        assert adjective
        assert adjective[1] in words.ADJECTIVES[1 - case.label]
