"""The report's figures: drawn without a display, returned open for MLflow or for a file."""

from collections.abc import Mapping
from typing import Any

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, NullLocator
from sklearn.metrics import confusion_matrix, precision_recall_curve, roc_curve

OWN: dict[str, Any] = {"color": "C0", "linewidth": 2.2, "zorder": 3}
CHANCE: dict[str, Any] = {"color": "grey", "linewidth": 1, "linestyle": (0, (1, 3)), "label": "by chance"}
STYLES = [
    {"color": color, "linestyle": style, "linewidth": 1.4}
    for color, style in (("C1", "--"), ("C2", "-."), ("C3", ":"), ("C4", "--"), ("C5", "-."))
]
SLICES = {
    "length": ("by the review's length", "tokens: words and punctuation"),
    "negation": ("by words that deny: not, never, n't, ...", "such words in 100 tokens"),
    "contrast": ("by words that contrast: but, although, yet, ...", "such words in 100 tokens"),
}


def draw(
    said: Mapping[str, np.ndarray], labels: np.ndarray, findings: Mapping[str, Any], subject: str
) -> dict[str, Figure]:
    """All figures, by file name.

    Args:
        said: probabilities of "positive" `(N,)` by model, the version's own first.
        labels: `(N,)` of 0 and 1.
        findings: what `findings.find` says of them.
        subject: the reviews, as the titles name them.
    """
    own = next(iter(said))
    return {
        "roc.png": _roc(said, labels, subject),
        "pr.png": _precision_recall(said, labels, subject),
        "calibration.png": _calibration(said[own], findings["calibration"], f"{own} on {subject}"),
        "confusion.png": _confusion(said[own], labels, f"{own} on {subject}"),
        **{f"{name}.png": _slice(name, rows, subject) for name, rows in findings["slices"].items()},
    }


def _styles(names: list[str]) -> dict[str, dict[str, Any]]:
    own, *others = names
    return {own: OWN, **{name: STYLES[place % len(STYLES)] for place, name in enumerate(others)}}


def _roc(said: Mapping[str, np.ndarray], labels: np.ndarray, subject: str) -> Figure:
    curves = {name: roc_curve(labels, positive)[:2] for name, positive in said.items()}
    figure, axes = _curves(curves, f"ROC on {subject}", (0, 0.25), (0.75, 1))
    axes[0].plot([0, 1], [0, 1], **CHANCE)
    for axis in axes:
        axis.set(xlabel="share of negative reviews called positive")
    axes[0].set(ylabel="share of positive reviews called positive")
    _legend(figure, axes[0])
    return figure


def _precision_recall(said: Mapping[str, np.ndarray], labels: np.ndarray, subject: str) -> Figure:
    curves = {}
    for name, positive in said.items():
        precision, recall, _ = precision_recall_curve(labels, positive)
        curves[name] = recall[:-1], precision[:-1]  # the last is (0, 1) by decree
    figure, axes = _curves(curves, f"Precision and recall on {subject}", (0.75, 1), (0.75, 1))
    share = float(np.mean(labels))
    axes[0].axhline(share, **CHANCE)
    for axis in axes:
        axis.set(xlabel="recall: share of positive reviews found")
    axes[0].set(ylabel="precision: share of those found that are positive", ylim=(min(0.45, share - 0.05), 1.01))
    _legend(figure, axes[0])
    return figure


def _curves(
    curves: Mapping[str, tuple[np.ndarray, np.ndarray]],
    title: str,
    across: tuple[float, float],
    up: tuple[float, float],
) -> tuple[Figure, list[Axes]]:
    """The whole, and beside it, where a curve gets there, the corner in which good models differ."""
    in_corner = any(
        ((across[0] <= x) & (x <= across[1]) & (up[0] <= y) & (y <= up[1])).sum() > 2 for x, y in curves.values()
    )
    figure, grid = plt.subplots(
        1, 1 + in_corner, figsize=(9.5 if in_corner else 5.5, 4.9), layout="constrained", squeeze=False
    )
    axes = list(grid[0])
    for axis in axes:
        for name, style in _styles(list(curves)).items():
            axis.plot(*curves[name], label=name, **style)
        axis.set(xlim=(-0.01, 1.01), ylim=(-0.01, 1.01))
        axis.grid(alpha=0.3)
    if in_corner:
        axes[0].set(title="whole")
        axes[1].set(xlim=across, ylim=up, title="the corner, enlarged")
    figure.suptitle(title)
    return figure, axes


def _legend(figure: Figure, axis: Axes) -> None:
    handles, names = axis.get_legend_handles_labels()
    figure.legend(handles, names, loc="outside lower center", ncols=min(3, len(names)), frameon=False)


def _calibration(positive: np.ndarray, found: Mapping[str, Any], title: str) -> Figure:
    figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4.7), layout="constrained")
    left.plot([0, 1], [0, 1], color="grey", linewidth=1, linestyle=(0, (1, 3)), label="to be taken at its word")
    for when, color, marker in (("before", "C1", "s"), ("after", "C0", "o")):
        curve = found[when]["curve"]
        left.plot(
            [point["mean_predicted_probability"] for point in curve],
            [point["fraction_of_positives"] for point in curve],
            color=color,
            marker=marker,
            markersize=5,
            linewidth=1.4,
            label=f"{when} the temperature: ECE {found[when]['ece']:.4f}, log loss {found[when]['log_loss']:.4f}",
        )
    left.set(
        xlabel="mean probability of positive that was said",
        ylabel="share that is positive",
        title=f"{len(found['after']['curve'])} bins of equally many reviews",
    )
    left.grid(alpha=0.3)
    right.hist(positive, bins=np.linspace(0, 1, 41).tolist(), color="C0")
    right.set(
        yscale="log", xlabel="probability of positive, after", ylabel="reviews (log scale)", title="how often said"
    )
    right.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    right.yaxis.set_major_formatter("{x:,.0f}")
    right.yaxis.set_minor_locator(NullLocator())
    right.grid(axis="y", alpha=0.3)
    figure.suptitle(f"Calibration of {title}, temperature {found['temperature']}")
    figure.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=1, frameon=False)
    return figure


def _confusion(positive: np.ndarray, labels: np.ndarray, title: str) -> Figure:
    counts = confusion_matrix(labels, positive >= 0.5, labels=[0, 1])
    shares = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    figure, axis = plt.subplots(figsize=(5.6, 4.6), layout="constrained")
    axis.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    for (row, column), share in np.ndenumerate(shares):
        axis.text(
            column,
            row,
            f"{counts[row, column]:,}\n{100 * share:.1f}%",
            ha="center",
            va="center",
            fontsize=14,
            color="white" if share > 0.5 else "black",
        )
    names = ["negative", "positive"]
    axis.set_xticks([0, 1], names)
    axis.set_yticks([0, 1], names, rotation=90, va="center")
    axis.set(xlabel="called", ylabel="is (each row adds up to 100%)")
    figure.suptitle(f"Confusion of {title}", fontsize="medium")
    return figure


def _slice(name: str, rows: list[dict[str, Any]], subject: str) -> Figure:
    what, unit = SLICES[name]
    models = list(rows[0]["models"])
    figure, axis = plt.subplots(figsize=(9.5, 0.55 * len(rows) + 2), layout="constrained")
    places = np.arange(len(rows))
    for place, (model, style) in enumerate(_styles(models).items()):
        accuracy = np.array([100 * row["models"][model]["accuracy"] for row in rows])
        ends = np.array([[100 * end for end in row["models"][model]["interval"]] for row in rows])
        axis.errorbar(
            accuracy,
            places + 0.16 * (place - (len(models) - 1) / 2),  # side by side
            xerr=np.maximum([accuracy - ends[:, 0], ends[:, 1] - accuracy], 0),  # at 100% rounding goes below 0
            fmt="osD^v<"[place % 6],
            color=style["color"],
            markersize=6 if place == 0 else 4.5,
            elinewidth=2 if place == 0 else 1.2,
            label=model,
        )
    axis.set_yticks(places, [f"{row['group']}\nn = {row['reviews']:,}" for row in rows])
    axis.set_ylim(len(rows) - 0.5, -0.5)
    for border in places[1:]:
        axis.axhline(border - 0.5, color="grey", linewidth=0.5, alpha=0.4)
    axis.set(xlabel="accuracy, %, with its 95% interval", ylabel=unit)
    axis.grid(axis="x", alpha=0.3)
    figure.suptitle(f"Accuracy on {subject} {what}")
    _legend(figure, axis)
    return figure
