"""The evaluation report of a model on test: its metrics, and the folder with its page, figures and CSV files."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt
from scipy.special import expit, logit
from sklearn.metrics import average_precision_score

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.evaluation import figures, page, slices, tables
from sentiment_rnn.evaluation.behaviour import failures
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.label_issues import find_label_issues, noise_recovery
from sentiment_rnn.evaluation.metrics import evaluate
from sentiment_rnn.evaluation.occlusion import ending, excerpt, occlusion_importance
from sentiment_rnn.evaluation.significance import bootstrap, interval, mcnemar
from sentiment_rnn.files import atomic_file, atomic_folder, write_json

BEHAVIOUR = "behaviour.json"
ERRORS = LABEL_ISSUES = 20  # listed at most
IMPORTANT_WORDS = 5  # listed beside an error
BINS = 15  # of the calibration curve, of equal counts

Predict = Callable[[list[str]], np.ndarray]


def write_report(
    folder: Path,
    facts: Mapping[str, Any],
    predictions: Mapping[str, np.ndarray],
    baselines: Sequence[str],
    test: Split,
    temperature: float,
    predict: Predict,
    slice_columns: Sequence[str] = (),
) -> dict[str, Any]:
    """Compute the report and write it to `folder`, which is replaced as a whole, and to the page `folder`.html.

    Args:
        folder: for the figures, the failures on the behaviour suite, and the CSV files of `dvc plots`. The page is
            beside it because it quotes reviews: the folder can be committed, the page cannot.
        facts: of the evaluated version, see `page.render`.
        predictions: probabilities of "positive" `(N,)` by model, `facts["candidate"]` first.
        baselines: names among `predictions`.
        test: the N reviews.
        temperature: of the candidate.
        predict: the candidate's probabilities of "positive" for any texts.
        slice_columns: columns of test by whose values the accuracy is reported.

    Returns:
        The report of `compute_report`.
    """
    candidate, labels = facts["candidate"], np.array(test.labels)
    columns = {name: test.columns[name] for name in slice_columns}
    report = compute_report(predictions, baselines, labels, test.texts, temperature, predict, columns)
    identity = {key: facts[key] for key in ("dataset", "architecture", "version")}
    with atomic_folder(folder) as partial:
        paths = {}
        drawn = figures.draw(predictions, labels, report, f"{facts['dataset']} test", facts["class_names"])
        for name, figure in drawn.items():
            paths[name] = partial / name
            figure.savefig(paths[name], dpi=110)
            plt.close(figure)
        tables.write(partial, identity, candidate, predictions[candidate], labels, report)
        write_json(partial / BEHAVIOUR, report["behaviour"])
        rendered = page.render(facts, report, paths)
    with atomic_file(folder.with_suffix(".html")) as file:
        file.write(rendered)
    return report


def compute_report(
    predictions: Mapping[str, np.ndarray],
    baselines: Sequence[str],
    labels: np.ndarray,
    texts: list[str],
    temperature: float,
    predict: Predict,
    columns: Mapping[str, Sequence[str]] | None = None,
) -> dict[str, Any]:
    """Metrics, model comparison, calibration, slices, most confident errors, label issues, failures on the suite.

    Args:
        predictions: probabilities of "positive" `(N,)` by model, the candidate first.
        baselines: names among `predictions`; label issues are found with the candidate and these.
        labels: `(N,)` of 0 and 1.
        texts: the N reviews.
        temperature: the candidate's logits were divided by it.
        predict: the candidate's probabilities of "positive" for any texts.
        columns: by whose values the reviews are sliced, `(N,)` each.

    Returns:
        measures, comparison, calibration, slices, errors, label_issues, behaviour (from `behaviour.failures.run`).
    """
    candidate, *others = predictions
    positive = predictions[candidate]
    correct = {name: (each >= 0.5) == (labels > 0.5) for name, each in predictions.items()}
    resampled = bootstrap(predictions, labels)
    issue_models = [candidate, *baselines]
    issue_predictions = [predictions[name] for name in issue_models]
    issues = find_label_issues(labels, issue_predictions)
    return {
        "measures": {name: _measures(each, labels, resampled[name]) for name, each in predictions.items()},
        "comparison": {
            other: {
                **mcnemar(correct[candidate], correct[other])._asdict(),
                "difference": float(correct[candidate].mean() - correct[other].mean()),
                "difference_interval": interval(resampled[candidate]["accuracy"] - resampled[other]["accuracy"]),
            }
            for other in others
        },
        "calibration": _calibration(positive, labels, temperature),
        "slices": {
            name: slices.slice_metrics(masks, correct) for name, masks in slices.slice_masks(texts, columns).items()
        },
        "errors": _errors(positive, labels, texts, issues, predict),
        "label_issues": {
            "models": issue_models,
            "count": len(issues),
            "count_by_label": [int((labels[issues] == label).sum()) for label in (0, 1)],
            "noise": noise_recovery(labels, issue_predictions)._asdict(),
            "examples": [
                {
                    "row": row,
                    "label": int(labels[row]),
                    "probabilities": [float(each[row]) for each in issue_predictions],
                    "ending": ending(texts[row]),
                }
                for row in issues[:LABEL_ISSUES].tolist()
            ],
        },
        "behaviour": failures.run(predict),
    }


def _measures(positive: np.ndarray, labels: np.ndarray, resampled: Mapping[str, np.ndarray]) -> dict[str, Any]:
    """Metrics, with bootstrap intervals except for the calibration error, which resampling would increase."""
    metrics = evaluate(positive, labels) | {"average_precision": float(average_precision_score(labels, positive))}
    return {
        "values": {key: metrics[key] for key in resampled} | {"ece": expected_calibration_error(positive, labels)},
        "intervals": {key: interval(values) for key, values in resampled.items()},
    }


def _calibration(positive: np.ndarray, labels: np.ndarray, temperature: float) -> dict[str, Any]:
    """Calibration error, log loss and calibration curve, before and after temperature scaling."""
    calibration: dict[str, Any] = {"temperature": temperature}
    for when, each in (("before", expit(logit(positive) * temperature)), ("after", positive)):
        bins = [rows for rows in np.array_split(np.argsort(each, kind="stable"), BINS) if len(rows)]
        calibration[when] = {
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
    return calibration


def _errors(
    positive: np.ndarray, labels: np.ndarray, texts: list[str], issues: np.ndarray, predict: Predict
) -> list[dict[str, Any]]:
    """The most confident errors, each with its most important words and an excerpt around them."""
    wrong = np.flatnonzero((positive >= 0.5) != (labels > 0.5))
    rows = wrong[np.argsort(-np.abs(positive[wrong] - 0.5), kind="stable")][:ERRORS].tolist()
    importances = occlusion_importance(predict, [texts[row] for row in rows]) if rows else []
    errors = []
    for row, importance in zip(rows, importances, strict=True):
        words = sorted(importance, key=importance.__getitem__, reverse=True)[:IMPORTANT_WORDS]
        errors.append(
            {
                "row": row,
                "label": int(labels[row]),
                "probability": float(positive[row]),
                "label_issue": row in issues,
                "words": [(word, importance[word]) for word in words if importance[word] > 0],
                "excerpt": excerpt(texts[row], importance),
            }
        )
    return errors
