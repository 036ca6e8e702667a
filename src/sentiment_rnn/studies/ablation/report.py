"""What each part of the recipe is worth: a row a variant, against the recipe with the same seeds."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from mlflow.entities import Run

from sentiment_rnn.params import AblationParams
from sentiment_rnn.studies.ablation.variant import UNCHANGED, Variant
from sentiment_rnn.studies.effect import LOSS, POINTS, TIMES, Effect
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.training.devices import machine


class Row(NamedTuple):
    """A variant: means over the seeds, and against the recipe, seed by seed, what it gains.

    Attributes:
        name: of the variant.
        accuracy: on validation.
        loss: on validation.
        seconds: of a training.
        points: accuracy gained over the recipe, in points.
        saved: validation loss serialization.
        times: the recipe's seconds.
    """

    name: str
    accuracy: float
    loss: float
    seconds: float
    points: Effect
    saved: Effect
    times: Effect


def rows(variants: Sequence[Variant], finished: Mapping[str, Run], context: Context) -> list[Row]:
    """One a variant, the recipe first, in the order of params.yaml."""
    of: dict[str, list[dict[str, float]]] = {}
    for variant in variants:
        of.setdefault(variant.name, []).append(finished[variant.key(context)].data.metrics)
    recipe = of[UNCHANGED]
    return [_row(name, metrics, recipe) for name, metrics in of.items()]


def _row(name: str, metrics: Sequence[Mapping[str, float]], recipe: Sequence[Mapping[str, float]]) -> Row:
    accuracy, loss, seconds = "final_validation_accuracy", "final_validation_loss", "train_seconds"
    both = list(zip(metrics, recipe, strict=True))
    return Row(
        name,
        mean(run[accuracy] for run in metrics),
        mean(run[loss] for run in metrics),
        mean(run[seconds] for run in metrics),
        Effect(name, [100 * (ours[accuracy] - theirs[accuracy]) for ours, theirs in both], POINTS),
        Effect(name, [theirs[loss] - ours[loss] for ours, theirs in both], LOSS),
        Effect(name, [ours[seconds] / theirs[seconds] for ours, theirs in both], TIMES),
    )


def values(found: Sequence[Row]) -> dict[str, Any]:
    """The figures for other programs to read."""
    return {
        row.name: {
            "validation_accuracy": row.accuracy,
            "validation_loss": row.loss,
            "train_seconds": row.seconds,
            "points": [row.points.mean, *row.points.interval],
            "loss_saved": [row.saved.mean, *row.saved.interval],
            "times_the_seconds": row.times.mean,
        }
        for row in found
        if row.name != UNCHANGED
    } | {
        UNCHANGED: {
            "validation_accuracy": found[0].accuracy,
            "validation_loss": found[0].loss,
            "train_seconds": found[0].seconds,
        }
    }


def markdown(found: Sequence[Row], params: AblationParams, dataset: str, context: Context) -> str:
    """The table, with what was measured, how, and on what machine."""
    seeds = ", ".join(map(str, params.seeds))
    changed = ", ".join(f"{key} {value}" for key, value in params.model.items())
    lines = [
        "# What each part of the recipe is worth",
        "",
        f"By `make ablation`, on {dataset}'s validation reviews (test is not read), on {machine(context.trainer)}.",
        f"Each row is the recipe `best` (here with {changed}) with one thing changed,",
        f"trained with seeds {seeds}. Differences are to the recipe with the same seed, with the 95% interval of their",
        "mean (Student's t); losses are less noisy than accuracies, which 2,500 reviews give to 0.6 points. Seconds",
        "are one training's, others running beside it, without what all share (vectors, teachers).",
        "",
        "| | accuracy, % | points | loss | saved | seconds | times |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in found:
        against = ("", "", "") if row.name == UNCHANGED else (str(row.points), str(row.saved), f"{row.times.mean:.2f}")
        lines.append(
            f"| {row.name} | {100 * row.accuracy:.2f} | {against[0]} | {row.loss:.4f} | {against[1]} "
            f"| {row.seconds:.0f} | {against[2]} |"
        )
    lines += ["", "![Validation loss that each variant saves or costs](ablation.png)", ""]
    return "\n".join(lines)


def picture(found: Sequence[Row]) -> Figure:
    """What each variant saves or costs, the best above."""
    others = sorted((row for row in found if row.name != UNCHANGED), key=lambda row: row.saved.mean)
    figure = Figure(figsize=(9, 1.2 + 0.36 * len(others)), layout="constrained")
    axes = figure.subplots()
    means = [row.saved.mean for row in others]
    ends = [row.saved.interval for row in others]
    errors = [[at - low for at, (low, _) in zip(means, ends, strict=True)],
              [high - at for at, (_, high) in zip(means, ends, strict=True)]]  # fmt: skip
    colours = ["tab:red" if high < 0 else "tab:green" if low > 0 else "tab:gray" for low, high in ends]
    axes.errorbar(means, range(len(others)), xerr=errors, fmt="none", ecolor="lightgray", elinewidth=3, zorder=1)
    axes.scatter(means, range(len(others)), c=colours, zorder=2)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(others)), [row.name for row in others])
    axes.set_xlabel("validation loss saved (right: better than the recipe), mean and 95% interval over the seeds")
    return figure
