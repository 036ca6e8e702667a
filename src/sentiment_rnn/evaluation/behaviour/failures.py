"""Failure rates of a classifier on the suite, by capability and test."""

from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any, NamedTuple

import numpy as np

from sentiment_rnn.evaluation.behaviour.cases import INVARIANCE, MINIMUM_FUNCTIONALITY, Case, suite
from sentiment_rnn.evaluation.behaviour.templates import FIRST_SENTENCES
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.metrics import wilson

TOLERANCE = 0.05  # by which a probability may move against the direction
WORST = 3  # cases listed of each test

Predict = Callable[[list[str]], np.ndarray]


class Outcome(NamedTuple):
    """A case with the probabilities of "positive" of its texts.

    `severity`: how wrong the probabilities are, from 0 to 1; `failed`: whether that is too much.
    """

    case: Case
    probabilities: list[float]
    severity: float
    failed: bool


def outcome(case: Case, probabilities: list[float]) -> Outcome:
    """Compare the probabilities of "positive" of a case's texts with what the case requires.

    A case of minimum functionality fails if the label is wrong; of invariance, if the two labels differ; of direction,
    if the probability of the label falls by more than `TOLERANCE`.
    """
    first, last = probabilities[0], probabilities[-1]
    if case.kind == MINIMUM_FUNCTIONALITY:
        return Outcome(case, probabilities, first if case.label == 0 else 1 - first, (first >= 0.5) != case.label)
    if case.kind == INVARIANCE:
        return Outcome(case, probabilities, abs(last - first), (first >= 0.5) != (last >= 0.5))
    fall = (first - last) if case.label else (last - first)
    return Outcome(case, probabilities, max(fall, 0.0), fall > TOLERANCE)


def run(predict: Predict, cases: Sequence[Case] | None = None) -> dict[str, Any]:
    """Run the suite.

    Args:
        predict: the probabilities of "positive" `(N,)` of N texts; called once.
        cases: None: of the suite.

    Returns:
        `kinds`, `capabilities` and `tests`, each a list of rows with cases, failures, failure_rate and its 95% interval
        (Wilson), a test with its worst failures, too; `first_sentences`, each with its label and probability; and
        `short_texts`: the calibration on all cases of minimum functionality but those of a given length.
    """
    cases = suite() if cases is None else cases
    texts = list(dict.fromkeys(text for case in cases for text in case.texts))
    positive = dict(zip(texts, predict(texts).tolist(), strict=True))
    outcomes = [outcome(case, [positive[text] for text in case.texts]) for case in cases]
    return {
        "kinds": _rates(outcomes, "kind"),
        "capabilities": _rates(outcomes, "kind", "capability"),
        "tests": [
            row | {"worst": _worst([each for each in outcomes if each.case.test == row["test"]])}
            for row in _rates(outcomes, "kind", "capability", "test")
        ],
        "first_sentences": [
            {"text": text, "label": label, "probability": positive[text]}
            for text, label in FIRST_SENTENCES
            if text in positive
        ],
        "short_texts": _calibration(outcomes),
    }


def _calibration(outcomes: Sequence[Outcome]) -> dict[str, float]:
    """Accuracy, mean confidence (probability of the predicted label) and ECE on short texts with a label."""
    short = [each for each in outcomes if each.case.kind == MINIMUM_FUNCTIONALITY and each.case.capability != "length"]
    positive, labels = (np.array(each) for each in ([o.probabilities[0] for o in short], [o.case.label for o in short]))
    if not short:
        return {"cases": 0}
    return {
        "cases": len(short),
        "accuracy": float(np.mean((positive >= 0.5) == labels)),
        "mean_confidence": float(np.maximum(positive, 1 - positive).mean()),
        "ece": expected_calibration_error(positive, labels),
    }


def by_capability(report: dict[str, Any]) -> dict[str, float]:
    """The failure rate of each capability, under a name for MLflow's metrics and tags."""
    return {row["capability"].replace(" ", "_"): row["failure_rate"] for row in report["capabilities"]}


def _rates(outcomes: Sequence[Outcome], *keys: str) -> list[dict[str, Any]]:
    """Failure rates of the groups of equal `keys`, attributes of a case; such cases follow each other."""

    def key(each: Outcome) -> tuple[str, ...]:
        return tuple(getattr(each.case, name) for name in keys)

    rows = []
    for values, group in groupby(outcomes, key):
        failed = [each.failed for each in group]
        failures, count = sum(failed), len(failed)
        rates = {"failure_rate": failures / count, "interval": list(wilson(failures, count))}
        rows.append({**dict(zip(keys, values, strict=True)), "cases": count, "failures": failures, **rates})
    return rows


def _worst(outcomes: Sequence[Outcome]) -> list[dict[str, Any]]:
    failed = sorted((each for each in outcomes if each.failed), key=lambda each: -each.severity)
    return [
        {"texts": list(each.case.texts), "label": each.case.label, "probabilities": each.probabilities}
        for each in failed[:WORST]
    ]
