"""All that the report says of a version, as numbers and short texts: what is drawn, tabled and written."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score

from sentiment_rnn.evaluation import label_issues, occlusion, slices
from sentiment_rnn.evaluation.bootstrap import bootstrap, interval
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.mcnemar import mcnemar
from sentiment_rnn.evaluation.metrics import evaluate

ERRORS = 20
CARRYING = 5  # words named beside an error
NOISE = 20
BINS = 15  # of the calibration curve, each with as many reviews


def compute_report(
    said: Mapping[str, np.ndarray],
    baselines: Sequence[str],
    labels: np.ndarray,
    texts: list[str],
    temperature: float,
    ask: Callable[[list[str]], np.ndarray],
) -> dict[str, Any]:
    """Measure, compare, slice and explain.

    Args:
        said: probabilities of "positive" `(N,)` by model; the version's own come first, the others' beside it.
        baselines: the linear ones among the others: with the version they say which labels are doubtful.
        labels: `(N,)` of 0 and 1.
        texts: the N reviews.
        temperature: what the version's logits were divided by.
        ask: the version's probability of "positive" for each of some texts.

    Returns:
        measures, against, calibration, slices, errors, label_issues.
    """
    (own, positive), *others = said.items()
    right = {name: (each >= 0.5) == (labels > 0.5) for name, each in said.items()}
    draws = bootstrap(said, labels)
    doubtful = [positive, *(said[baseline] for baseline in baselines)]
    issues = label_issues.find_label_issues(labels, doubtful)
    return {
        "measures": {name: _measures(each, labels, draws[name]) for name, each in said.items()},
        "comparison": {
            name: {
                **mcnemar(right[own], right[name])._asdict(),
                "difference": float(right[own].mean() - right[name].mean()),
                "difference_interval": interval(draws[own]["accuracy"] - draws[name]["accuracy"]),
            }
            for name, _ in others
        },
        "calibration": _calibration(positive, labels, temperature),
        "slices": {name: slices.slice_metrics(masks, right) for name, masks in slices.groups(texts).items()},
        "errors": _errors(positive, labels, texts, set(issues.tolist()), ask),
        "label_issues": {
            "models": [own, *baselines],
            "count": len(issues),
            "of_each_label": [int((labels[issues] == label).sum()) for label in (0, 1)],
            "planted": label_issues.planted(labels, doubtful)._asdict(),
            "most": [_noisy(row, positive, labels, texts, said, baselines) for row in issues[:NOISE].tolist()],
        },
    }


def _measures(positive: np.ndarray, labels: np.ndarray, draws: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Each measure with its interval; the calibration error has none: resamples make it larger."""
    measured = evaluate(positive, labels) | {"average_precision": float(average_precision_score(labels, positive))}
    return {
        "values": {key: measured[key] for key in draws} | {"ece": expected_calibration_error(positive, labels)},
        "intervals": {key: interval(values) for key, values in draws.items()},
    }


def _calibration(positive: np.ndarray, labels: np.ndarray, temperature: float) -> dict[str, Any]:
    """Before the temperature and after: errors, and what was said beside what was so, in bins of equal counts."""
    found: dict[str, Any] = {"temperature": temperature}
    for when, each in (("before", expit(logit(positive) * temperature)), ("after", positive)):
        bins = [rows for rows in np.array_split(np.argsort(each, kind="stable"), BINS) if len(rows)]
        found[when] = {
            "ece": expected_calibration_error(each, labels),
            "log_loss": evaluate(each, labels)["log_loss"],
            "curve": [
                {
                    "mean_predicted_probability": float(each[rows].mean()),
                    "fraction_of_positives": float(labels[rows].mean()),
                    "reviews": len(rows),
                }
                for rows in bins
            ],
        }
    return found


def _errors(
    positive: np.ndarray,
    labels: np.ndarray,
    texts: list[str],
    issues: set[int],
    ask: Callable[[list[str]], np.ndarray],
) -> list[dict[str, Any]]:
    """The errors it was surest of, with the words that carried them."""
    wrong = np.flatnonzero((positive >= 0.5) != (labels > 0.5))
    surest = wrong[np.argsort(-np.abs(positive[wrong] - 0.5), kind="stable")][:ERRORS].tolist()
    found = []
    for row, worth in zip(surest, occlusion.carried(ask, [texts[row] for row in surest]), strict=True):
        carrying = sorted(worth, key=worth.__getitem__, reverse=True)[:CARRYING]
        found.append(
            {
                "row": row,
                "label": int(labels[row]),
                "probability": float(positive[row]),
                "doubtful": row in issues,
                "words": [(word, worth[word]) for word in carrying if worth[word] > 0],
                "excerpt": occlusion.excerpt(texts[row], worth),
            }
        )
    return found


def _noisy(
    row: int,
    positive: np.ndarray,
    labels: np.ndarray,
    texts: list[str],
    said: Mapping[str, np.ndarray],
    baselines: Sequence[str],
) -> dict[str, Any]:
    return {
        "row": row,
        "label": int(labels[row]),
        "said": [float(positive[row]), *(float(said[baseline][row]) for baseline in baselines)],
        "ending": occlusion.ending(texts[row]),
    }
