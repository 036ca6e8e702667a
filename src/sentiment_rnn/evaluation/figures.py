"""Figures of the evaluation report, drawn without a display; the caller saves and closes them."""

from collections.abc import Mapping, Sequence
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

from sentiment_rnn.evaluation.slices import file_name

CANDIDATE: dict[str, Any] = {"color": "C0", "linewidth": 2.2, "zorder": 3}
REFERENCE: dict[str, Any] = {"color": "grey", "linewidth": 1, "linestyle": (0, (1, 3))}
STYLES = [
    {"color": color, "linestyle": style, "linewidth": 1.4}
    for color, style in (("C1", "--"), ("C2", "-."), ("C3", ":"), ("C4", "--"), ("C5", "-."))
]
SLICES = {
    "length": ("by review length", "tokens"),
    "negation": ("by rate of negation words (not, never, n't, ...)", "negation words per 100 tokens"),
    "contrast": ("by rate of contrast words (but, although, ...)", "contrast words per 100 tokens"),
}


def draw(
    predictions: Mapping[str, np.ndarray],
    labels: np.ndarray,
    report: Mapping[str, Any],
    subject: str,
    class_names: Sequence[str],
) -> dict[str, Figure]:
    """All figures, by file name.

    Args:
        predictions: probabilities of "positive" `(N,)` by model, the candidate first.
        labels: `(N,)` of 0 and 1.
        report: from `report.compute_report`.
        subject: data set and split, for the titles.
        class_names: of the labels 0 and 1.
    """
    candidate = next(iter(predictions))
    positive = predictions[candidate]
    return {
        "roc.png": _roc(predictions, labels, subject),
        "pr.png": _precision_recall(predictions, labels, subject),
        "calibration.png": _calibration(positive, report["calibration"], f"{candidate} on {subject}", class_names[1]),
        "confusion.png": _confusion(positive, labels, f"{candidate} on {subject}", class_names),
        **{f"{file_name(name)}.png": _slices(name, rows, subject) for name, rows in report["slices"].items()},
    }


def _styles(names: list[str]) -> dict[str, dict[str, Any]]:
    candidate, *others = names
    return {candidate: CANDIDATE, **{name: STYLES[index % len(STYLES)] for index, name in enumerate(others)}}


def _roc(predictions: Mapping[str, np.ndarray], labels: np.ndarray, subject: str) -> Figure:
    curves = {name: roc_curve(labels, positive)[:2] for name, positive in predictions.items()}
    figure, axes = _curves(curves, f"ROC curves on {subject}", (0, 0.25), (0.75, 1))
    axes[0].plot([0, 1], [0, 1], **REFERENCE, label="chance")
    for axis in axes:
        axis.set(xlabel="false positive rate")
    axes[0].set(ylabel="true positive rate")
    _legend(figure, axes[0])
    return figure


def _precision_recall(predictions: Mapping[str, np.ndarray], labels: np.ndarray, subject: str) -> Figure:
    curves = {}
    for name, positive in predictions.items():
        precision, recall, _ = precision_recall_curve(labels, positive)
        curves[name] = recall[:-1], precision[:-1]  # the last is (0, 1) by definition
    figure, axes = _curves(curves, f"Precision-recall curves on {subject}", (0.75, 1), (0.75, 1))
    base_rate = float(np.mean(labels))
    axes[0].axhline(base_rate, **REFERENCE, label="chance")
    for axis in axes:
        axis.set(xlabel="recall")
    axes[0].set(ylabel="precision", ylim=(min(0.45, base_rate - 0.05), 1.01))
    _legend(figure, axes[0])
    return figure


def _curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    title: str,
    zoom_x: tuple[float, float],
    zoom_y: tuple[float, float],
) -> tuple[Figure, list[Axes]]:
    """Axes with the full range and, if a curve reaches it, a second one with the corner where good models differ."""
    zoomed = any(
        ((zoom_x[0] <= x) & (x <= zoom_x[1]) & (zoom_y[0] <= y) & (y <= zoom_y[1])).sum() > 2
        for x, y in curves.values()
    )
    figure, grid = plt.subplots(
        1, 1 + zoomed, figsize=(9.5 if zoomed else 5.5, 4.9), layout="constrained", squeeze=False
    )
    axes = list(grid[0])
    for axis in axes:
        for name, style in _styles(list(curves)).items():
            axis.plot(*curves[name], label=name, **style)
        axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axis.grid(alpha=0.3)
    if zoomed:
        axes[0].set(title="full range")
        axes[1].set(xlim=zoom_x, ylim=zoom_y, title="corner, enlarged")
    figure.suptitle(title)
    return figure, axes


def _legend(figure: Figure, axis: Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(3, len(names)), frameon=False)


def _calibration(positive: np.ndarray, calibration: Mapping[str, Any], title: str, class_name: str) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.7), layout="constrained")
    left.plot([0, 1], [0, 1], **REFERENCE, label="perfectly calibrated")
    for when, color, marker in (("before", "C1", "s"), ("after", "C0", "o")):
        curve, ece, loss = (calibration[when][key] for key in ("curve", "ece", "log_loss"))
        left.plot(
            [point["mean_predicted_probability"] for point in curve],
            [point["fraction_of_positives"] for point in curve],
            color=color,
            marker=marker,
            markersize=5,
            linewidth=1.4,
            label=f"{when} temperature scaling: ECE {ece:.4f}, log loss {loss:.4f}",
        )
    left.set(
        xlabel="mean predicted probability",
        ylabel=f"fraction of {class_name}",
        title=f"{len(calibration['after']['curve'])} bins of {calibration['after']['curve'][0]['reviews']:,} reviews",
    )
    left.grid(alpha=0.3)
    right.hist(positive, bins=np.linspace(0, 1, 41).tolist(), color="C0")
    right.set(
        yscale="log",
        xlabel=f"predicted probability of {class_name}, after temperature scaling",
        ylabel="reviews (log scale)",
        title="histogram",
    )
    right.set_ylim(bottom=1)
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:,.0f}")
    right.yaxis.set_minor_locator(NullLocator())
    right.grid(axis="y", alpha=0.3)
    figure.suptitle(f"Calibration of {title}, temperature {calibration['temperature']}")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=1, frameon=False)
    return figure


def _confusion(positive: np.ndarray, labels: np.ndarray, title: str, class_names: Sequence[str]) -> Figure:
    counts = confusion_matrix(labels, positive >= 0.5, labels=[0, 1])
    fractions = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
    axis.imshow(fractions, cmap="Blues", vmin=0, vmax=1)
    for (row, column), fraction in np.ndenumerate(fractions):
        axis.text(
            column,
            row,
            f"{counts[row, column]:,}\n{100 * fraction:.1f}%",
            ha="center",
            va="center",
            fontsize=14,
            color="white" if fraction > 0.5 else "black",
        )
    axis.set_xticks([0, 1], class_names)
    axis.set_yticks([0, 1], class_names, rotation=90, va="center")
    axis.set(xlabel="predicted label", ylabel="label (each row adds up to 100%)")
    figure.suptitle(f"Confusion matrix of {title}", fontsize="medium")
    return figure


def _slices(name: str, rows: list[dict[str, Any]], subject: str) -> Figure:
    title, unit = SLICES.get(name, (name, name.removeprefix("by ")))
    models = list(rows[0]["models"])
    figure, axis = plt.subplots(figsize=(9.5, 0.55 * len(rows) + 2), layout="constrained")
    places = np.arange(len(rows))
    for index, (model, style) in enumerate(_styles(models).items()):
        accuracy = np.array([100 * row["models"][model]["accuracy"] for row in rows])
        low, high = np.transpose([row["models"][model]["interval"] for row in rows]) * 100
        axis.errorbar(
            accuracy,
            places + 0.16 * (index - (len(models) - 1) / 2),  # side by side
            xerr=np.maximum([accuracy - low, high - accuracy], 0),  # at 0 and 100% rounding can go below 0
            fmt="osD^v<"[index % 6],
            color=style["color"],
            markersize=6 if index == 0 else 4.5,
            elinewidth=2 if index == 0 else 1.2,
            label=model,
        )
    axis.set_yticks(places, [f"{row['slice']}\nn = {row['reviews']:,}" for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    for border in places[1:]:
        axis.axhline(border - 0.5, color="grey", linewidth=0.5, alpha=0.4)
    axis.set(xlabel="accuracy, %, with 95% interval", ylabel=unit)
    axis.grid(axis="x", alpha=0.3)
    figure.suptitle(f"Accuracy on {subject} {title}")
    _legend(figure, axis)
    return figure
