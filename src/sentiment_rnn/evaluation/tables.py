"""CSV files for `dvc plots`: the curves and the slices."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

from sentiment_rnn.evaluation.slices import file_name

MAX_ROWS = 200  # of a curve: one row per review would be megabytes


def write(
    folder: Path,
    identity: Mapping[str, str],
    candidate: str,
    positive: np.ndarray,
    labels: np.ndarray,
    report: Mapping[str, Any],
) -> None:
    """Write roc.csv, pr.csv, calibration_before.csv, calibration_after.csv, and one file per kind of slice.

    Args:
        folder: exists.
        identity: columns that every row has: the data set and the model.
        candidate: the model's name in `report`.
        positive: its probabilities of "positive" `(N,)`.
        labels: `(N,)` of 0 and 1.
        report: from `report.compute_report`.
    """

    def write_csv(name: str, columns: Mapping[str, np.ndarray]) -> None:
        count = len(next(iter(columns.values())))
        rows = np.unique(np.linspace(0, count - 1, min(count, MAX_ROWS)).round().astype(int))  # with both ends
        with (folder / f"{name}.csv").open("w", encoding="utf-8", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow([*identity, *columns])
            for row in zip(*(column[rows].tolist() for column in columns.values()), strict=True):
                rounded = [round(value, 6) if isinstance(value, float) else value for value in row]
                writer.writerow([*identity.values(), *rounded])

    false_positives, true_positives, _ = roc_curve(labels, positive)
    write_csv("roc", {"false_positive_rate": false_positives, "true_positive_rate": true_positives})
    precision, recall, _ = precision_recall_curve(labels, positive)
    write_csv("pr", {"recall": recall[:-1], "precision": precision[:-1]})  # the last is (0, 1) by definition
    for when in ("before", "after"):
        curve = report["calibration"][when]["curve"]
        write_csv(f"calibration_{when}", {key: np.array([point[key] for point in curve]) for key in curve[0]})
    for name, slices in report["slices"].items():
        metrics = [row["models"][candidate] for row in slices]
        low, high = np.transpose([row["interval"] for row in metrics])
        columns = {
            "slice": np.array([row["slice"] for row in slices]),
            "reviews": np.array([row["reviews"] for row in slices]),
            "error_rate_percent": 100 * (1 - np.array([row["accuracy"] for row in metrics])),
            "error_rate_percent_low": 100 * (1 - high),
            "error_rate_percent_high": 100 * (1 - low),
        }
        write_csv(file_name(name), columns)
