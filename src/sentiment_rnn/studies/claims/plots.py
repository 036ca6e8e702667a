"""The plots of the claims' report."""

from collections.abc import Callable, Sequence
from statistics import mean

import numpy as np
from matplotlib.figure import Figure
from matplotlib.ticker import ScalarFormatter

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.findings import Finding
from sentiment_rnn.studies.claims.plan import (
    CELLS,
    COMPARED,
    INITIALIZERS,
    LEARNING_CURVES,
    capacity,
    from_scratch,
    memory,
    pretrained,
    untrained,
    with_reviews,
)
from sentiment_rnn.studies.claims.results import Results, seconds
from sentiment_rnn.studies.claims.statistics import Comparison, Decision, is_measured
from sentiment_rnn.studies.claims.tasks import TaskName

FOREST = "effects.png"
COLORS: dict[Decision, str] = {"supported": "C2", "equivalent": "C0", "opposite": "C3", "inconclusive": "C7"}
# Keras's and torch's initializers: what multiplies the gradient at each step, of the RNN at most, of the LSTM along c
THEORY = {
    ("rnn", "keras"): 1.0,
    ("rnn", "torch"): 3**-0.5,
    ("lstm", "keras"): 1 / (1 + np.exp(-1)),
    ("lstm", "torch"): 0.5,
}


def make_plots(findings: Sequence[Finding], results: Results, params: ClaimsParams, train: int) -> dict[str, Figure]:
    """All plots whose experiments have been run, by file name.

    Args:
        findings: of all claims.
        results: of all experiments.
        params: sizes, lengths, radii.
        train: number of training reviews.
    """
    sizes = [*params.accuracy.learning_curve, train]
    curves: dict[str, Callable[[float], str]] = {
        name: lambda reviews, name=name: name if reviews == train else with_reviews(name, int(reviews))  # type: ignore[misc]
        for name in LEARNING_CURVES
    }
    pretraining: dict[str, Callable[[float], str]] = {
        "from scratch": lambda reviews: with_reviews(from_scratch("mlstm"), int(reviews)),
        "from word vectors": lambda reviews: with_reviews("mlstm", int(reviews)),
        "pre-trained": lambda reviews: with_reviews(pretrained("mlstm"), int(reviews)),
    }
    plots: dict[str, Callable[[], Figure | None]] = {
        FOREST: lambda: forest_plot(findings),
        "adding.png": lambda: solved_plot(results, params, "adding"),
        "copy.png": lambda: solved_plot(results, params, "copy"),
        "long-range.png": lambda: solved_plot(results, params, "long-range"),
        "gradient.png": lambda: gradient_plot(results, params),
        "learning-curve.png": lambda: curve_plot(results, curves, sizes, "labeled reviews"),
        "pre-training.png": lambda: curve_plot(results, pretraining, params.accuracy.learning_curve, "labeled reviews"),
        "reservoir.png": lambda: reservoir_plot(results, params.reservoir.spectral_radii),
        "cost.png": lambda: cost_plot(results),
    }
    made = {file: plot() for file, plot in plots.items()}
    return {file: figure for file, figure in made.items() if figure is not None}


def forest_plot(findings: Sequence[Finding]) -> Figure | None:
    """Every effect with its interval, colored by its decision: differences on the left scale, ratios on the right."""
    panels = {
        "difference (percentage points)": lambda effect: "percentage" in effect.unit.name,
        "ratio": lambda effect: effect.unit.ratio,
        "difference (orders of magnitude)": lambda effect: "orders" in effect.unit.name,
    }
    rows: dict[str, list[tuple[Comparison, Decision]]] = {label: [] for label in panels}
    for finding in findings:
        for effect, decision in zip(finding.effects, finding.decisions, strict=True):
            if is_measured(effect):
                rows[next(label for label, fits in panels.items() if fits(effect))].append((effect, decision))
    filled = {label: effects for label, effects in rows.items() if effects}
    if not filled:
        return None
    heights = [len(effects) + 2 for effects in filled.values()]
    figure = Figure(figsize=(10, 0.3 * sum(heights) + 0.8), layout="constrained")
    axes = figure.subplots(len(filled), squeeze=False, gridspec_kw={"height_ratios": heights})[:, 0]
    for axis, (label, effects) in zip(axes, filled.items(), strict=True):
        for row, (effect, decision) in enumerate(reversed(effects)):
            axis.plot(effect.interval, [row, row], color=COLORS[decision], linewidth=2)
            axis.plot(effect.mean, row, "o", color=COLORS[decision])
        ratio = label == "ratio"
        axis.axvline(1 if ratio else 0, color="black", linewidth=0.8)
        axis.set_yticks(range(len(effects)), [effect.name for effect, _ in reversed(effects)], fontsize=8)
        axis.set_xscale("log") if ratio else axis.set_xscale("symlog", linthresh=2)
        axis.xaxis.set_major_formatter(ScalarFormatter())
        axis.set(xlabel=f"{label}, 95% interval; right: as the claim states", ylim=(-0.7, len(effects) - 0.3))
        axis.grid(axis="x", alpha=0.3)
    for decision, color in COLORS.items():
        axes[0].plot([], [], "o-", color=color, label=decision)
    figure.legend(loc="outside upper right", ncols=4)
    return figure


def solved_plot(results: Results, params: ClaimsParams, task: TaskName) -> Figure | None:
    """Share of seeds that solve a task by its length, and the steps until then."""
    lengths = params.memory.lengths[task]
    names = [name for name in CELLS if all(results.metric(memory(name, task, length), "solved") for length in lengths)]
    if not names:
        return None
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    shares, steps = figure.subplots(1, 2)
    positions = np.arange(len(lengths))
    for index, name in enumerate(names):
        shift = 0.26 * (index - (len(names) - 1) / 2)
        solved = [results.metric(memory(name, task, length), "solved") for length in lengths]
        bars = shares.bar(
            positions + shift, [100 * mean(values) for values in solved], 0.24, color=f"C{index}", label=name
        )
        shares.bar_label(bars, [f"{sum(values):.0f}/{len(values)}" for values in solved], fontsize=8)
        for position, length, flags in zip(positions, lengths, solved, strict=True):
            taken = results.metric(memory(name, task, length), "steps")
            for value, flag in zip(taken, flags, strict=True):
                steps.plot(position + shift, value, "o" if flag else "x", color=f"C{index}", alpha=0.6, markersize=5)
    shares.set(xlabel="length T", ylabel="seeds that solve it, %", ylim=(0, 112))
    steps.set(xlabel="length T", ylabel="steps until solved (x: not solved)", ylim=(0, params.memory.max_steps * 1.05))
    for axis in (shares, steps):
        axis.set_xticks(positions, [str(length) for length in lengths])
        axis.grid(axis="y", alpha=0.3)
    figure.legend(loc="outside upper right", ncols=3)
    return figure


def gradient_plot(results: Results, params: ClaimsParams) -> Figure | None:
    """Gradient norm by steps before the last: as initialized, with theory, and after training on the adding problem."""
    longest = max(params.memory.lengths["adding"])
    initial = {(cell, how): results.series(untrained(cell, how), "gradient_norm_initial") for cell, how in THEORY}
    if not all(initial.values()):
        return None
    figure = Figure(figsize=(10, 4), layout="constrained")
    before, after = figure.subplots(1, 2, sharey=True)
    for index, ((cell, how), series) in enumerate(initial.items()):
        assert how in INITIALIZERS
        _gradient_line(before, series, f"C{index}", f"{cell}, {how} initializer")
        steps = np.arange(1, max(series[0]) + 1)
        before.plot(steps, np.maximum(THEORY[cell, how] ** steps, 1e-20), ":", color=f"C{index}", linewidth=1)
    for index, cell in enumerate(CELLS):
        if series := results.series(memory(cell, "adding", longest), "gradient_norm"):
            _gradient_line(after, series, f"C{index}", cell)
    before.set(title="as initialized (dotted: theory)", ylabel="gradient norm relative to the last step's")
    after.set(title=f"after training on the adding problem, T = {longest}")
    for axis in (before, after):
        axis.set(yscale="log", xlabel="steps before the last", ylim=(1e-20, 1e8))
        axis.grid(alpha=0.3)
        axis.legend(fontsize=8, loc="upper right")
    return figure


def _gradient_line(axis, series: Sequence[dict[int, float]], color: str, label: str) -> None:  # type: ignore[no-untyped-def]
    steps = list(series[0])
    relative = np.array([[max(by_step[step] / by_step[0], 1e-300) for step in steps] for by_step in series])
    axis.plot(steps, np.exp(np.log(relative).mean(0)), "o-", color=color, label=label, markersize=3)
    axis.fill_between(steps, relative.min(0), relative.max(0), color=color, alpha=0.15)


def curve_plot(
    results: Results, curves: dict[str, Callable[[float], str]], xs: Sequence[float], label: str
) -> Figure | None:
    """Test accuracy against x: the mean over the seeds, and each seed as a dot."""
    if not all(results.metric(experiment(x)) for experiment in curves.values() for x in xs):
        return None
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axis = figure.subplots()
    for index, (name, experiment) in enumerate(curves.items()):
        accuracies = [np.array(results.metric(experiment(x))) * 100 for x in xs]
        axis.plot(xs, [values.mean() for values in accuracies], color=f"C{index}", marker="o", label=name)
        for x, values in zip(xs, accuracies, strict=True):
            axis.plot([x] * len(values), values, ".", color=f"C{index}", alpha=0.4)
    axis.set_xscale("log")
    axis.set_xticks(xs, [f"{x:,g}" for x in xs])
    axis.minorticks_off()
    axis.set(xlabel=label, ylabel="test accuracy, %")
    axis.grid(alpha=0.3)
    axis.legend()
    return figure


def reservoir_plot(results: Results, radii: Sequence[float]) -> Figure | None:
    """Memory capacity by spectral radius, one dot per seed."""
    capacities = [results.metric(capacity(radius), "memory_capacity") for radius in radii]
    if not all(capacities):
        return None
    figure = Figure(figsize=(6.5, 4), layout="constrained")
    axis = figure.subplots()
    axis.plot(radii, [mean(values) for values in capacities], "o-", color="C0")
    for radius, values in zip(radii, capacities, strict=True):
        axis.plot([radius] * len(values), values, ".", color="C0", alpha=0.4)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set(xlabel="spectral radius", ylabel="memory capacity, steps", ylim=(0, None))
    axis.grid(alpha=0.3)
    return figure


def cost_plot(results: Results) -> Figure | None:
    """Seconds of a training step as multiples of the LSTM's, in each setting."""
    if not results.costs:
        return None
    figure = Figure(figsize=(9, 0.12 * len(COMPARED) * len(results.costs) + 1.6), layout="constrained")
    axis = figure.subplots()
    height = 0.8 / len(results.costs)
    for index, (label, cost) in enumerate(results.costs.items()):
        ratios = [mean(seconds(cost, name)) / mean(seconds(cost, "lstm")) for name in COMPARED]
        bars = axis.barh(np.arange(len(COMPARED)) + index * height, ratios, height, label=label)
        axis.bar_label(bars, fmt="%.2f", padding=3, fontsize=7)
    axis.set_yticks(np.arange(len(COMPARED)) + 0.4 - height / 2, COMPARED)
    axis.axvline(1, color="black", linewidth=0.8)
    axis.set(xlabel="seconds of a training step relative to the LSTM's")
    figure.legend(loc="outside upper right")
    return figure
