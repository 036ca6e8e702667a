"""Failure rates of classifiers whose failures are known."""

import numpy as np
import pytest

from sentiment_rnn.data.corpus import split_tokens
from sentiment_rnn.evaluation.behaviour import words
from sentiment_rnn.evaluation.behaviour.cases import DIRECTION, INVARIANCE, MINIMUM_FUNCTIONALITY, Case
from sentiment_rnn.evaluation.behaviour.failures import TOLERANCE, WORST, outcome, run
from sentiment_rnn.evaluation.metrics import wilson

POLARITY = {
    word: 2 * label - 1 for label in (0, 1) for word in (*words.ADJECTIVES[label], *words.NOUNS[label])
}  # fmt: skip


def bag_of_words(texts: list[str]) -> np.ndarray:
    """Adds up the suite's words of polarity, and reads no negation."""
    sums = np.array([sum(POLARITY.get(token, 0) for token in split_tokens(text)) for text in texts])
    return 1 / (1 + np.exp(-sums))


def rates(report: dict, key: str) -> dict[str, float]:
    return {row[key]: row["failure_rate"] for row in report[f"{key}s" if key != "capability" else "capabilities"]}


def test_a_bag_of_words_knows_the_words_and_is_wrong_where_they_are_negated():
    report = run(bag_of_words)
    tests = rates(report, "test")
    assert all(tests[name] == 0 for name in ("alone", "in a sentence", "3 words", "30 words", "300 words"))
    assert tests["near"] == tests["contracted"] == tests["far"] == tests["no longer"] == 1
    assert tests["double"] == 0
    assert tests["names"] == tests["punctuation"] == tests["religion"] == tests["intensifiers"] == 0
    assert tests["typos"] > 0
    assert [row["test"] for row in report["tests"] if row["cases"] == 8] == ["first sentences"]
    assert [row["text"] for row in report["first_sentences"] if row["probability"] >= 0.5][-2:] == [
        "It isn't great.",
        "Hardly a masterpiece.",
    ]


def test_a_constant_prediction_fails_half_of_minimum_functionality_and_no_change():
    report = run(lambda texts: np.full(len(texts), 0.9))
    kinds = rates(report, "kind")
    assert kinds[MINIMUM_FUNCTIONALITY] == pytest.approx(0.5, abs=0.01)
    assert kinds[INVARIANCE] == kinds[DIRECTION] == 0


def test_the_calibration_on_short_texts():
    cases = [
        *(Case(MINIMUM_FUNCTIONALITY, "negation", "near", (f"text {row}",), row % 2) for row in range(10)),
        Case(MINIMUM_FUNCTIONALITY, "length", "300 words", ("long text",), 1),
        Case(INVARIANCE, "spelling", "case", ("text", "TEXT"), None),
    ]
    short = run(lambda texts: np.full(len(texts), 0.8), cases)["short_texts"]
    assert short == pytest.approx({"cases": 10, "accuracy": 0.5, "mean_confidence": 0.8, "ece": 0.3})


def test_a_classifier_that_hears_a_group_fails_the_cases_of_that_group():
    def biased(texts: list[str]) -> np.ndarray:
        return np.array([0.2 if "Muslim" in text else 0.8 for text in texts])

    report = run(biased)
    failing = {row["test"]: row for row in report["tests"] if row["kind"] == INVARIANCE and row["failures"]}
    assert set(failing) == {"religion"}
    row = failing["religion"]
    assert row["failure_rate"] == row["failures"] / row["cases"] > 0.1
    assert row["interval"] == list(wilson(row["failures"], row["cases"]))
    assert len(row["worst"]) == WORST
    assert all(sum("Muslim" in text for text in case["texts"]) == 1 for case in row["worst"])


@pytest.mark.parametrize(
    ("kind", "label", "probabilities", "severity", "failed"),
    [
        (MINIMUM_FUNCTIONALITY, 1, [0.5], 0.5, False),
        (MINIMUM_FUNCTIONALITY, 0, [0.5], 0.5, True),
        (MINIMUM_FUNCTIONALITY, 1, [0.2], 0.8, True),
        (INVARIANCE, None, [0.6, 0.9], 0.3, False),
        (INVARIANCE, None, [0.6, 0.4], 0.2, True),
        (DIRECTION, 1, [0.6, 0.6 - TOLERANCE / 2], TOLERANCE / 2, False),
        (DIRECTION, 1, [0.6, 0.5], 0.1, True),
        (DIRECTION, 0, [0.6, 0.5], 0.0, False),
        (DIRECTION, 0, [0.5, 0.6], 0.1, True),
    ],
)
def test_what_a_case_requires(kind, label, probabilities, severity, failed):
    found = outcome(Case(kind, "capability", "test", ("text",) * len(probabilities), label), probabilities)
    assert (found.failed, found.severity) == (failed, pytest.approx(severity))


def test_the_worst_failures_come_first():
    cases = [Case(MINIMUM_FUNCTIONALITY, "c", "t", (text,), 1) for text in ("a", "bbbb", "cc", "ddd", "eeeeeeeee")]
    report = run(lambda texts: np.array([len(text) / 10 for text in texts]), cases)
    assert [case["texts"] for case in report["tests"][0]["worst"]] == [["a"], ["cc"], ["ddd"]]
