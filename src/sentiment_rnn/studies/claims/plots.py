"""The claims as pictures: returned open, by file name."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from sentiment_rnn.evaluation.plots import plt
from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.claims import OVERVIEW, Finding
from sentiment_rnn.studies.claims.plan import (
    COMPARED,
    CURVES,
    LAST,
    STARTS,
    all_reviews,
    last_state,
    long_range,
    pretrained,
    reservoir,
    with_reviews,
)
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.effect import POINTS, Effect

COLOURS = {"supported": "C2", "not supported": "C3", "inconclusive": "C7"}
Curve = Callable[[float], str]  # the name of the experiment at a value of x


class Picture(NamedTuple):
    """A figure, and the MLflow runs that it shows."""

    figure: Figure
    run_ids: set[str]


def draw(findings: Sequence[Finding], results: Results, params: ClaimsParams, train: int) -> dict[str, Picture]:
    """All figures, by file name.

    Args:
        findings: of all claims.
        results: of all experiments.
        params: sizes, distances, radii.
        train: reviews of train.
    """

    def curve(name: str) -> Curve:
        return lambda reviews: (
            {params.reviews: name, train: all_reviews(name)}.get(int(reviews)) or with_reviews(name, int(reviews))
        )

    def memory(name: str) -> Curve:
        return lambda distance: long_range(name, int(distance))

    curves = {name: curve(name) for name in CURVES}
    distances = {name: memory(name) for name in STARTS}
    starts: dict[str, Curve] = {
        "from scratch": lambda reviews: with_reviews("mlstm", int(reviews)),
        "pre-trained": lambda reviews: pretrained("mlstm", int(reviews)),
    }
    points = [effect for finding in findings for effect in finding.effects if effect.unit is POINTS]
    sizes, far = [*params.learning_curve, params.reviews, train], "tokens from the verdict to the end"
    drawings: dict[str, Callable[[], Figure]] = {
        OVERVIEW: lambda: effects(points),
        "learning-curve.png": lambda: lines(results, curves, sizes, "labelled reviews", log=True),
        "distance.png": lambda: lines(results, distances, params.dependency_lengths, far, log=True),
        "reservoir.png": lambda: lines(results, {"echo_state": reservoir}, params.spectral_radii, "spectral radius"),
        "pre-training.png": lambda: lines(results, starts, params.labelled, "labelled reviews", log=True),
        "gradient.png": lambda: gradients(results),
        "cost.png": lambda: cost(results),
    }
    pictures = {}
    for file, drawing in drawings.items():
        results.asked.clear()
        pictures[file] = Picture(drawing(), set(results.asked))
    return pictures


def effects(measured: Sequence[Effect]) -> Figure:
    """Every difference in accuracy with its interval, coloured by its verdict."""
    figure, axis = plt.subplots(figsize=(9, 0.36 * len(measured) + 1.6), layout="constrained")
    for row, effect in enumerate(reversed(measured)):
        colour = COLOURS[effect.verdict]
        axis.plot(effect.interval, [row, row], color=colour, linewidth=2)
        axis.plot(effect.mean, row, "o", color=colour)
    axis.axvline(0, color="black", linewidth=0.8)
    axis.set_yticks(range(len(measured)), [effect.what for effect in reversed(measured)])
    for verdict, colour in COLOURS.items():
        axis.plot([], [], "o-", color=colour, label=verdict)
    axis.set_xscale("symlog", linthresh=2)  # half a point and twenty points in one picture
    axis.xaxis.set_major_formatter(ScalarFormatter())
    axis.set_xticks([-40, -10, -5, -2, -1, 0, 1, 2, 5, 10, 40])
    axis.set(xlabel="points of test accuracy (95% interval)")
    axis.grid(axis="x", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3)
    return figure


def lines(results: Results, curves: dict[str, Curve], xs: Sequence[float], label: str, log: bool = False) -> Figure:
    """Test accuracy against x: the mean over the seeds, and each seed as a dot."""
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for index, (name, experiment) in enumerate(curves.items()):
        measured = [np.array(results.metric(experiment(x))) * 100 for x in xs]
        axis.plot(xs, [values.mean() for values in measured], color=f"C{index}", marker="o", label=name)
        for x, values in zip(xs, measured, strict=True):
            axis.plot([x] * len(values), values, ".", color=f"C{index}", alpha=0.4)
    if log:
        axis.set_xscale("log")
    axis.set_xticks(xs, [f"{x:,g}" for x in xs])
    axis.minorticks_off()
    axis.set(xlabel=label, ylabel="test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def gradients(results: Results) -> Figure:
    """What is left of the gradient, by how many steps before the last a token stands; a line a seed."""
    figure, axis = plt.subplots(figsize=(6.5, 4), layout="constrained")
    for index, name in enumerate(LAST):
        for number, norms in enumerate(results.gradients(last_state(name))):
            axis.plot(np.array(norms) / norms[0], color=f"C{index}", alpha=0.7, label=None if number else name)
    axis.set(yscale="log", xlabel="steps before the last token", ylabel="gradient, as a share of the last token's")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def cost(results: Results) -> Figure:
    """Seconds of a training step as multiples of the LSTM's."""
    ratios = {name: results.time_ratio(name, "lstm").mean for name in COMPARED}
    names = sorted(ratios, key=lambda name: ratios[name], reverse=True)
    figure, axis = plt.subplots(figsize=(6.5, 0.33 * len(names) + 1), layout="constrained")
    bars = axis.barh(names, [ratios[name] for name in names], color="C0", height=0.6)
    axis.margins(x=0.1)  # room for the figures
    axis.bar_label(bars, fmt="%.2f", padding=3)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set(xlabel="seconds of a training step, times the LSTM's")
    return figure
