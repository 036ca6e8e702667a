"""Plot of a trace: probability of the text up to each word, shares in the pooling, heat maps of gates and states."""

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patheffects import withStroke

from sentiment_rnn.explain.table import ARROWS
from sentiment_rnn.explain.trace import Trace

WORDS_PER_BAND = 30  # more would leave no space for the values
MAX_BANDS = 4
ROW_HEIGHT = 0.24  # inches, of a heat map
CAPTION = (
    "heat maps: mean of each gate over the units, norm of each state; the darkest cell of a row is its highest value "
    "in this review, the lightest its lowest"
)
ROW_LABELS = {
    **{gate: f"{gate} gate" for gate in ("forget", "input", "output", "reset", "update")},
    "|c|": "cell state |c|",
    "|h|": "hidden state |h|",
}
COLORMAPS = ("Blues", "Oranges")


def plot_trace(trace: Trace, title: str, class_name: str) -> Figure:
    """The figure of a trace.

    Up to 120 words are plotted, in bands of at most 30, one below the other. Of a longer review the four bands with
    the largest shares in the pooling are plotted.
    """
    count, notes = len(trace.words), list(trace.notes)
    bands = np.array_split(np.arange(count), -(-count // WORDS_PER_BAND))
    if len(bands) > MAX_BANDS:
        shares = [np.mean([shares[band].sum() for shares in trace.pooling.values()]) for band in bands]
        largest = sorted(np.argsort(shares)[-MAX_BANDS:])
        bands = [bands[index] for index in largest]
        notes.append(f"the words shown have {sum(shares[index] for index in largest):.0%} of the pooling")
    columns = max(len(band) for band in bands)
    heights = [1.2, 0.7, *(ROW_HEIGHT * max(3, len(measures)) for measures in trace.cells.values())]
    size = (2 + 0.38 * max(columns, 16), 0.6 + len(bands) * (sum(heights) + 1.3))
    figure = plt.figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=11).set_parse_math(False)
    figure.supxlabel("\n".join([CAPTION, *notes]), fontsize=8, x=0.01, ha="left")
    for part, words in zip(figure.subfigures(len(bands), 1, squeeze=False)[:, 0], bands, strict=True):
        axes = part.subplots(len(heights), 1, height_ratios=heights, sharex=True)
        _plot_probability(axes[0], trace, words, class_name)
        _plot_pooling(axes[1], trace, words)
        for axis, direction, colormap in zip(axes[2:], trace.cells, COLORMAPS, strict=False):
            _plot_cells(axis, trace.cells[direction], words, colormap)
            axis.set_ylabel(f"{direction} {ARROWS.get(direction, '')}".strip())
        axes[0].set_xlim(words[0] - 0.5, words[0] + columns - 0.5)
        if len(bands) > 1:
            axes[0].set_title(f"words {words[0] + 1} to {words[-1] + 1} of {count}", loc="left", fontsize=9)
    return figure


def _plot_probability(axis: Axes, trace: Trace, words: np.ndarray, class_name: str) -> None:
    """The probability of the text up to each word; its values are printed towards the middle of the axis."""
    probability = trace.probability[words]
    axis.axhline(0.5, color="grey", linewidth=0.8)
    axis.plot(words, probability, color="black", linewidth=1)
    colors = ["C2" if value >= 0.5 else "C3" for value in probability]
    axis.scatter(words, probability, c=colors, s=28, zorder=3, clip_on=False)
    for word, value in zip(words, probability, strict=True):
        if not np.isnan(value):
            offset, alignment = ((0, -6), "top") if value >= 0.5 else ((0, 6), "bottom")
            axis.annotate(
                f"{value:.2f}", (word, value), offset, textcoords="offset points", ha="center", va=alignment,
                fontsize=7, path_effects=[withStroke(linewidth=2, foreground="white")],
            )  # fmt: skip
    axis.set(ylim=(0, 1), yticks=[0, 0.5, 1], ylabel=f"P({class_name})\nso far")
    axis.grid(axis="x", alpha=0.3)


def _plot_pooling(axis: Axes, trace: Trace, words: np.ndarray) -> None:
    """The share of each word in the pooling, with the words below."""
    width = 0.8 / len(trace.pooling)
    for index, (name, shares) in enumerate(trace.pooling.items()):
        left = words - 0.4 + width * index
        axis.bar(left, 100 * shares[words], width, align="edge", color=f"C{4 + index}", label=f"{name} pooling")
    largest = 100 * max(shares.max() for shares in trace.pooling.values())
    axis.set(ylim=(0, 1.3 * largest), ylabel="share in\npooling, %")
    axis.legend(loc="best", fontsize=8, ncols=len(trace.pooling), frameon=False)
    axis.set_xticks(words, [trace.words[word] for word in words], rotation=60, ha="right", rotation_mode="anchor")
    axis.tick_params(axis="x", labelbottom=True, length=0)
    for label, word in zip(axis.get_xticklabels(), words, strict=True):
        label.set(parse_math=False, color="black" if trace.known[word] else "grey")


def _plot_cells(axis: Axes, measures: dict[str, np.ndarray], words: np.ndarray, colormap: str) -> None:
    """A row per measure, colored from its lowest value in the review to its highest, with the values printed."""
    for row, values in enumerate(measures.values()):
        low, high = values.min(), values.max()
        shade = 0.8 * (values - low) / max(high - low, 1e-9)
        for word in words:
            axis.text(
                word, row, f"{values[word]:.2f}".removeprefix("0") if high < 1 else f"{values[word]:.1f}",
                ha="center", va="center", fontsize=7, color="white" if shade[word] > 0.55 else "black",
            )  # fmt: skip
        axis.imshow(
            shade[None, words], cmap=colormap, vmin=0, vmax=1, aspect="auto",
            extent=(words[0] - 0.5, words[-1] + 0.5, row + 0.5, row - 0.5),
        )  # fmt: skip
    axis.set_ylim(len(measures) - 0.5, -0.5)
    axis.set_yticks(range(len(measures)), [ROW_LABELS.get(name, name) for name in measures])
    axis.tick_params(length=0, labelbottom=False)
