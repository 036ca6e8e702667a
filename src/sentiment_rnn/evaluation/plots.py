"""Figures for people: drawn without a display, returned open for MLflow or for a file."""

from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def learning_curves(history: list[dict[str, float]], name: str) -> Figure:
    """Loss and accuracy by epoch, train beside the scored split."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axis, measure in zip(axes, ("loss", "accuracy"), strict=True):
        for key in sorted(key for key in history[0] if key.endswith(f"_{measure}")):
            axis.plot(epochs, [row[key] for row in history], marker="o", label=key.removesuffix(f"_{measure}"))
        axis.set(xlabel="epoch", ylabel=measure)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(name)
    return figure


def comparison(rows: list[dict[str, Any]], dataset: str) -> Figure:
    """Every network's and linear baseline's accuracy with its interval, and the seconds that one training takes."""
    rows = sorted(rows, key=lambda row: row["test_accuracy"])
    names = [row["architecture"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.45 * len(rows) + 1.8), sharey=True, layout="constrained")
    for row in rows:
        low, high = row["test_accuracy_low"], row["test_accuracy_high"]
        left.plot([100 * low, 100 * high], [row["architecture"]] * 2, color="C0", linewidth=2)
    left.plot([100 * row["test_accuracy"] for row in rows], names, "o", color="C0", label="test, 95% interval")
    judged = [row for row in rows if row["validation_accuracy"] is not None]
    left.plot(
        [100 * row["validation_accuracy"] for row in judged],
        [row["architecture"] for row in judged],
        "|",
        color="C1",
        markersize=14,
        markeredgewidth=2,
        label="validation",
    )
    left.set(xlabel="accuracy, %")
    left.legend(loc="lower right")
    for label, color, drawn in (
        ("network, all epochs", "C2", [row for row in rows if row["protocol"] != "baseline"]),
        ("linear baseline", "C4", [row for row in rows if row["protocol"] == "baseline"]),
    ):
        seconds = [row["train_seconds"] for row in drawn]
        right.barh([row["architecture"] for row in drawn], seconds, color=color, height=0.55, label=label)
    right.set(xlabel="seconds of one training")
    right.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False)  # above: bars reach every corner
    for axis in (left, right):
        axis.grid(axis="x", alpha=0.3)
    figure.suptitle(f"Architectures on {dataset}")
    return figure
