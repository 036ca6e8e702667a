"""Matplotlib figures of training and of the comparison: no display is needed; the caller saves and closes them."""

from typing import Any

import matplotlib

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator


def learning_curves(history: list[dict[str, float]], title: str) -> Figure:
    """Loss and accuracy by epoch, on train and on the evaluated split."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 3.5), layout="constrained")
    epochs = [row["epoch"] for row in history]
    for axis, metric in zip(axes, ("loss", "accuracy"), strict=True):
        for key in sorted(key for key in history[0] if key.endswith(f"_{metric}")):
            axis.plot(epochs, [row[key] for row in history], marker="o", label=key.removesuffix(f"_{metric}"))
        axis.set(xlabel="epoch", ylabel=metric)
        axis.xaxis.set_major_locator(MaxNLocator(integer=True))
        axis.grid(alpha=0.3)
        axis.legend()
    figure.suptitle(title)
    return figure


def comparison(rows: list[dict[str, Any]], dataset: str) -> Figure:
    """Test and validation accuracy of each network and baseline, and the seconds of one training.

    Args:
        rows: from `comparison.summarize`.
        dataset: its name, for the title.
    """
    rows = sorted(rows, key=lambda row: row["test_accuracy"])
    names = [row["architecture"] for row in rows]
    figure, (left, right) = plt.subplots(1, 2, figsize=(10, 0.45 * len(rows) + 1.8), sharey=True, layout="constrained")
    for row in rows:
        low, high = row["test_accuracy_low"], row["test_accuracy_high"]
        left.plot([100 * low, 100 * high], [row["architecture"]] * 2, color="C0", linewidth=2)
    left.plot([100 * row["test_accuracy"] for row in rows], names, "o", color="C0", label="test, 95% interval")
    validated = [row for row in rows if row["validation_accuracy"] is not None]
    left.plot(
        [100 * row["validation_accuracy"] for row in validated],
        [row["architecture"] for row in validated],
        "|",
        color="C1",
        markersize=14,
        markeredgewidth=2,
        label="validation",
    )
    left.set(xlabel="accuracy, %")
    for label, color, shown in (
        ("network, all epochs", "C2", [row for row in rows if row["protocol"] != "baseline"]),
        ("baseline", "C4", [row for row in rows if row["protocol"] == "baseline"]),
    ):
        if shown:
            seconds = [row["train_seconds"] for row in shown]
            right.barh([row["architecture"] for row in shown], seconds, color=color, height=0.55, label=label)
    right.set(xlabel="seconds of one training")
    for axis in (left, right):
        axis.legend(
            loc="lower center", bbox_to_anchor=(0.5, 1), ncols=2, frameon=False
        )  # above: the data reach every corner
        axis.grid(axis="x", alpha=0.3)
    figure.suptitle(f"Architectures on {dataset}, {rows[0]['test_reviews']:,} test reviews")
    return figure
