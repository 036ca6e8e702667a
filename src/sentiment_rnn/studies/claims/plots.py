"""The plots of the claims' report."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.claims import OVERVIEW, Finding
from sentiment_rnn.studies.claims.plan import (
    COMPARED,
    LAST_STATE,
    LEARNING_CURVES,
    LONG_RANGE,
    all_reviews,
    last_state,
    long_range,
    pretrained,
    reservoir,
    with_reviews,
)
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.effect import ACCURACY, Effect

COLORS = {"supported": "C2", "not supported": "C3", "inconclusive": "C7"}
Curve = Callable[[float], str]  # the name of the experiment at a value of x


class Plot(NamedTuple):
    """A figure, and the ids of the MLflow runs that it shows."""

    figure: Figure
    run_ids: set[str]


def make_plots(findings: Sequence[Finding], results: Results, params: ClaimsParams, train: int) -> dict[str, Plot]:
    """All plots, by file name.

    Args:
        findings: of all claims.
        results: of all experiments.
        params: sizes, dependency lengths, radii.
        train: number of training reviews.
    """

    def learning_curve(name: str) -> Curve:
        return lambda reviews: (
            {params.reviews: name, train: all_reviews(name)}.get(int(reviews)) or with_reviews(name, int(reviews))
        )

    def dependency(name: str) -> Curve:
        return lambda length: long_range(name, int(length))

    learning_curves = {name: learning_curve(name) for name in LEARNING_CURVES}
    dependencies = {name: dependency(name) for name in LONG_RANGE}
    pretraining: dict[str, Curve] = {
        "from scratch": lambda reviews: with_reviews("mlstm", int(reviews)),
        "pre-trained": lambda reviews: pretrained("mlstm", int(reviews)),
    }
    differences = [effect for finding in findings for effect in finding.effects if effect.unit is ACCURACY]
    sizes, lengths = [*params.learning_curve, params.reviews, train], params.dependency_lengths
    plots: dict[str, Callable[[], Figure]] = {
        OVERVIEW: lambda: effects_plot(differences),
        "learning-curve.png": lambda: accuracy_plot(results, learning_curves, sizes, "labeled reviews", log=True),
        "dependency-length.png": lambda: accuracy_plot(results, dependencies, lengths, "dependency length", log=True),
        "reservoir.png": lambda: accuracy_plot(
            results, {"echo_state": reservoir}, params.spectral_radii, "spectral radius"
        ),
        "pre-training.png": lambda: accuracy_plot(results, pretraining, params.labeled, "labeled reviews", log=True),
        "gradient.png": lambda: gradient_plot(results),
        "cost.png": lambda: cost_plot(results),
    }
    made = {}
    for file, plot in plots.items():
        results.used.clear()
        made[file] = Plot(plot(), set(results.used))
    return made


def effects_plot(differences: Sequence[Effect]) -> Figure:
    """Every difference in accuracy with its interval, colored by its verdict."""
    figure = Figure(figsize=(9, 0.36 * len(differences) + 1.6), layout="constrained")
    axis = figure.subplots()
    for row, effect in enumerate(reversed(differences)):
        color = COLORS[effect.verdict]
        axis.plot(effect.interval, [row, row], color=color, linewidth=2)
        axis.plot(effect.mean, row, "o", color=color)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(differences)), [effect.name for effect in reversed(differences)])
    for verdict, color in COLORS.items():
        axis.plot([], [], "o-", color=color, label=verdict)
    axis.set_xscale("symlog", linthresh=2)  # half a percentage point and twenty in one plot
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.set_xticks([-40, -10, -5, -2, -1, 0, 1, 2, 5, 10, 40])
    axis.set(xlabel="difference in test accuracy, percentage points (95% interval)")
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3)
    return figure


def accuracy_plot(
    results: Results, curves: dict[str, Curve], xs: Sequence[float], label: str, log: bool = False
) -> Figure:
    """Test accuracy against x: the mean over the seeds, and each seed as a dot."""
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axis = figure.subplots()
    for index, (name, experiment) in enumerate(curves.items()):
        accuracies = [np.array(results.metric(experiment(x))) * 100 for x in xs]
        axis.plot(xs, [values.mean() for values in accuracies], color=f"C{index}", marker="o", label=name)
        for x, values in zip(xs, accuracies, strict=True):
            axis.plot([x] * len(values), values, ".", color=f"C{index}", alpha=0.4)
    if log:
        axis.set_xscale("log")
    axis.set_xticks(xs, [f"{x:,g}" for x in xs])
    axis.minorticks_off()
    axis.set(xlabel=label, ylabel="test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def gradient_plot(results: Results) -> Figure:
    """The gradient's norm by steps before the last token, one line per seed."""
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axis = figure.subplots()
    for index, name in enumerate(LAST_STATE):
        for number, norms in enumerate(results.gradient_norms(last_state(name))):
            axis.plot(np.array(norms) / norms[0], color=f"C{index}", alpha=0.7, label=None if number else name)
    axis.set(yscale="log", xlabel="steps before the last token", ylabel="gradient norm relative to the last token's")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def cost_plot(results: Results) -> Figure:
    """Seconds of a training step as multiples of the LSTM's."""
    ratios = {name: results.time_ratio(name, "lstm").mean for name in COMPARED}
    names = sorted(ratios, key=lambda name: ratios[name], reverse=True)
    figure = Figure(figsize=(6.5, 0.33 * len(names) + 1), layout="constrained")
    axis = figure.subplots()
    bars = axis.barh(names, [ratios[name] for name in names], color="C0", height=0.6)
    axis.margins(x=0.1)  # for the labels
    axis.bar_label(bars, fmt="%.2f", padding=3)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set(xlabel="seconds of a training step relative to the LSTM's")
    return figure
