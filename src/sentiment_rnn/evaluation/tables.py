"""What DVC draws: the curves and slices as CSV files."""

import csv
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.metrics import precision_recall_curve, roc_curve

POINTS = 200  # of a curve; a review a point would be a file of megabytes


def write(positive: np.ndarray, labels: np.ndarray, findings: Mapping[str, Any], own: str, folder: Path) -> None:
    """Write roc.csv, pr.csv, calibration_before.csv, calibration_after.csv, and a file for each slice.

    Args:
        positive: the version's probabilities of "positive" `(N,)`.
        labels: `(N,)` of 0 and 1.
        findings: what `findings.find` says of it.
        own: its name there.
        folder: is there.
    """
    false_positives, true_positives, _ = roc_curve(labels, positive)
    _write(folder / "roc.csv", {"false_positive_rate": false_positives, "true_positive_rate": true_positives})
    precision, recall, _ = precision_recall_curve(labels, positive)
    _write(folder / "pr.csv", {"recall": recall[:-1], "precision": precision[:-1]})
    for when in ("before", "after"):
        curve = findings["calibration"][when]["curve"]
        columns = {key: np.array([point[key] for point in curve]) for key in curve[0]}
        _write(folder / f"calibration_{when}.csv", columns)
    for name, rows in findings["slices"].items():
        wrong = np.array([100 * (1 - row["models"][own]["accuracy"]) for row in rows])
        # bars are sorted by their names: a number in front keeps the groups' order
        groups = np.array([f"{place}: {row['group']}" for place, row in enumerate(rows, 1)])
        reviews = np.array([row["reviews"] for row in rows])
        _write(folder / f"{name}.csv", {"slice": groups, "error_rate_percent": wrong, "reviews": reviews})


def _write(path: Path, columns: Mapping[str, np.ndarray]) -> None:
    """At most `POINTS` rows, evenly spaced, the first and the last among them."""
    count = len(next(iter(columns.values())))
    kept = np.unique(np.linspace(0, count - 1, min(count, POINTS)).round().astype(int))
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        for row in zip(*(column[kept].tolist() for column in columns.values()), strict=True):
            writer.writerow([round(value, 6) if isinstance(value, float) else value for value in row])
