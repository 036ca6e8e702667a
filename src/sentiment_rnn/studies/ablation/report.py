"""The ablation's table and plot: a row per variant, compared with the unchanged model of the same seeds."""

from collections.abc import Mapping, Sequence
from statistics import mean
from typing import Any, NamedTuple

from matplotlib.figure import Figure
from mlflow.entities import Run

from sentiment_rnn.params import AblationParams
from sentiment_rnn.studies.ablation.variant import FAILURE_RATE, UNCHANGED, Variant
from sentiment_rnn.studies.effect import ACCURACY, LOSS, RATIO, Effect
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.training.devices import machine


class Row(NamedTuple):
    """A variant's means over the seeds, and its differences from the unchanged model of the same seed.

    Attributes:
        name: of the variant.
        accuracy: on validation.
        loss: on validation.
        seconds: per training.
        accuracy_diff: in percentage points.
        loss_diff: of the validation loss; negative is better.
        time_ratio: of the seconds per training.
        failure_rate: on the behaviour suite's cases of minimum functionality.
        failure_diff: in percentage points; negative is better.
        flip_rate: the failure rate on its cases of invariance.
    """

    name: str
    accuracy: float
    loss: float
    seconds: float
    accuracy_diff: Effect
    loss_diff: Effect
    time_ratio: Effect
    failure_rate: float
    failure_diff: Effect
    flip_rate: float


def rows(variants: Sequence[Variant], finished: Mapping[str, Run], context: Context) -> list[Row]:
    """One row per variant that is finished, the unchanged model first, in the order of params.yaml."""
    metrics: dict[str, list[dict[str, float]]] = {}
    for name in dict.fromkeys(variant.name for variant in variants):
        keys = [variant.key(context) for variant in variants if variant.name == name]
        if all(key in finished for key in keys):
            metrics[name] = [finished[key].data.metrics for key in keys]
    return [_row(name, seeds, metrics[UNCHANGED]) for name, seeds in metrics.items()]


def _row(name: str, seeds: Sequence[Mapping[str, float]], unchanged: Sequence[Mapping[str, float]]) -> Row:
    accuracy, loss, seconds = "final_validation_accuracy", "final_validation_loss", "train_seconds"
    fails, flips = (f"{FAILURE_RATE}{kind}" for kind in ("minimum_functionality", "invariance"))
    pairs = list(zip(seeds, unchanged, strict=True))
    return Row(
        name,
        mean(run[accuracy] for run in seeds),
        mean(run[loss] for run in seeds),
        mean(run[seconds] for run in seeds),
        Effect(name, [100 * (run[accuracy] - base[accuracy]) for run, base in pairs], ACCURACY),
        Effect(name, [run[loss] - base[loss] for run, base in pairs], LOSS),
        Effect(name, [run[seconds] / base[seconds] for run, base in pairs], RATIO),
        mean(run[fails] for run in seeds),
        Effect(name, [100 * (run[fails] - base[fails]) for run, base in pairs], ACCURACY),
        mean(run[flips] for run in seeds),
    )


def values(found: Sequence[Row]) -> dict[str, Any]:
    """The metrics by variant, for other programs."""
    return {
        row.name: {
            "validation_accuracy": row.accuracy,
            "validation_loss": row.loss,
            "train_seconds": row.seconds,
            "accuracy_diff": [row.accuracy_diff.mean, *row.accuracy_diff.interval],
            "loss_diff": [row.loss_diff.mean, *row.loss_diff.interval],
            "time_ratio": row.time_ratio.mean,
            "failure_rate": row.failure_rate,
            "failure_diff": [row.failure_diff.mean, *row.failure_diff.interval],
            "flip_rate": row.flip_rate,
        }
        for row in found
    }


def markdown(found: Sequence[Row], params: AblationParams, dataset: str, context: Context) -> str:
    """The table, with the conditions of the measurement."""
    seeds = ", ".join(map(str, params.seeds))
    changes = ", ".join(f"{key} {value}" for key, value in params.model.items()) or "no other change"
    lines = [
        f"# Ablation of `{params.architecture}`",
        "",
        f"Written by `make ablation`, on the validation reviews of {dataset} (test is not used), on "
        f"{machine(context.trainer)}.",
        f"Each row is the model `{params.architecture}` (with {changes}) with one more change, trained with the seeds",
        f"{seeds}. Differences are from the unchanged model of the same seed, with the 95% interval of their mean",
        "(Student's t over the seeds). For the loss, a negative difference is better. Seconds are those of a training",
        "beside others, without the stages that all variants share (word vectors, teachers). `fails` and `flips` are",
        "the failure rates on the behaviour suite (docs/evaluation.md): a wrong label; a label that changes although",
        "the opinion does not.",
        "",
        "| variant | accuracy, % | difference, percentage points | loss | difference | fails, % | difference "
        "| flips, % | s/training | relative time |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in found:
        differences = (*map(str, (row.accuracy_diff, row.loss_diff, row.failure_diff)), f"{row.time_ratio.mean:.2f}")
        accuracy, loss, fails, time = [""] * 4 if row.name == UNCHANGED else differences
        lines.append(
            f"| {row.name} | {100 * row.accuracy:.2f} | {accuracy} | {row.loss:.4f} | {loss} "
            f"| {100 * row.failure_rate:.1f} | {fails} | {100 * row.flip_rate:.1f} | {row.seconds:.0f} | {time} |"
        )
    if missing := [name for name in params.variants if name not in {row.name for row in found}]:
        lines += ["", f"Not measured: {'; '.join(missing)}."]
    lines += ["", "![Difference in validation loss of each variant](ablation.png)", ""]
    return "\n".join(lines)


def plot(found: Sequence[Row]) -> Figure:
    """Each variant's difference in validation loss, the lowest on top."""
    variants = sorted((row for row in found if row.name != UNCHANGED), key=lambda row: -row.loss_diff.mean)
    figure = Figure(figsize=(9, 1.2 + 0.36 * len(variants)), layout="constrained")
    axes = figure.subplots()
    for y, row in enumerate(variants):
        low, high = row.loss_diff.interval
        axes.plot([low, high], [y, y], color="lightgray", linewidth=3, zorder=1)
        color = "tab:red" if low > 0 else "tab:green" if high < 0 else "tab:gray"
        axes.scatter(row.loss_diff.mean, y, color=color, zorder=2)
    axes.axvline(0, color="black", linewidth=0.8)
    axes.set_yticks(range(len(variants)), [row.name for row in variants])
    axes.set_xlabel("difference in validation loss (negative: better), mean and 95% interval over the seeds")
    return figure
