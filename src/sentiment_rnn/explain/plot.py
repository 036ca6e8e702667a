"""The trace as a picture: a heat map of the cells, the pooling's shares, and the probability as the review goes on."""

import matplotlib
import numpy as np

matplotlib.use("Agg")

from matplotlib import pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sentiment_rnn.explain.table import ARROWS
from sentiment_rnn.explain.trace import Trace

BAND = 30  # words side by side, at most: so many can have their figures written in
BANDS = 4  # one below the other, at most
ROW = 0.24  # inches of a heat map's row
HOW_TO_READ = (
    "in the cells: a gate's mean over the units, a state's norm; dark is the highest value of its row in this review, "
    "light the lowest"
)
NAMES = {"|c|": "cell state |c|", "|h|": "hidden |h|"}
COLOURS = ("Blues", "Oranges")


def draw(trace: Trace, title: str) -> Figure:
    """The picture of a trace.

    Up to 120 words are drawn whole, in bands of at most 30, one below the other. Of a longer review those four of its
    bands are drawn that have the largest share in the pooling.
    """
    count, notes = len(trace.words), list(trace.notes)
    bands = np.array_split(np.arange(count), -(-count // BAND))
    if len(bands) > BANDS:
        pooled = [np.mean([shares[band].sum() for shares in trace.pooling.values()]) for band in bands]
        most = sorted(np.argsort(pooled)[-BANDS:])
        bands = [bands[number] for number in most]
        notes.append(
            f"drawn are the words that {sum(pooled[number] for number in most):.0%} of the pooling comes from"
        )
    across = max(len(band) for band in bands)
    heights = [1.2, 0.7, *(ROW * max(3, len(measures)) for measures in trace.cells.values())]
    size = (2 + 0.38 * max(across, 16), 0.6 + len(bands) * (sum(heights) + 1.3))
    figure = plt.figure(figsize=size, layout="constrained")
    figure.suptitle(title, fontsize=11).set_parse_math(False)
    figure.supxlabel("\n".join([HOW_TO_READ, *notes]), fontsize=8, x=0.01, ha="left")
    for part, words in zip(figure.subfigures(len(bands), 1, squeeze=False)[:, 0], bands, strict=True):
        axes = part.subplots(len(heights), 1, height_ratios=heights, sharex=True)
        _probability(axes[0], trace, words)
        _pooling(axes[1], trace, words)
        for axis, direction, colours in zip(axes[2:], trace.cells, COLOURS, strict=False):
            _cells(axis, trace.cells[direction], words, colours)
            axis.set_ylabel(f"{direction} {ARROWS.get(direction, '')}".strip())
        axes[0].set_xlim(words[0] - 0.5, words[0] + across - 0.5)
        if len(bands) > 1:
            axes[0].set_title(f"words {words[0] + 1} to {words[-1] + 1} of {count}", loc="left", fontsize=9)
    return figure


def _probability(axis: Axes, trace: Trace, words: np.ndarray) -> None:
    """What the model says of the text up to each word."""
    said = trace.probability[words]
    axis.axhline(0.5, color="grey", linewidth=0.8)
    axis.plot(words, said, color="black", linewidth=1)
    axis.scatter(words, said, c=["C2" if value >= 0.5 else "C3" for value in said], s=28, zorder=3)
    for word, value in zip(words, said, strict=True):
        if not np.isnan(value):
            axis.annotate(f"{value:.2f}", (word, value), (0, 6), textcoords="offset points", ha="center", fontsize=7)
    axis.set(ylim=(-0.08, 1.25), yticks=[0, 0.5, 1], ylabel="P(positive)\nso far")
    axis.grid(axis="x", alpha=0.3)


def _pooling(axis: Axes, trace: Trace, words: np.ndarray) -> None:
    """Each word's share in what is pooled, and below it the words."""
    wide = 0.8 / len(trace.pooling)
    for place, (name, shares) in enumerate(trace.pooling.items()):
        left = words - 0.4 + wide * place
        axis.bar(left, 100 * shares[words], wide, align="edge", color=f"C{4 + place}", label=f"{name} pooling")
    axis.set(ylim=(0, 130 * max(shares.max() for shares in trace.pooling.values())), ylabel="share in\npooling, %")
    axis.legend(loc="best", fontsize=8, ncols=len(trace.pooling), frameon=False)
    axis.set_xticks(words, [trace.words[word] for word in words], rotation=60, ha="right", rotation_mode="anchor")
    axis.tick_params(axis="x", labelbottom=True, length=0)
    for label, word in zip(axis.get_xticklabels(), words, strict=True):
        label.set(parse_math=False, color="black" if trace.known[word] else "grey")


def _cells(axis: Axes, measures: dict[str, np.ndarray], words: np.ndarray, colours: str) -> None:
    """A row a measure, coloured from its lowest value in the whole review to its highest; the value is written in."""
    for row, values in enumerate(measures.values()):
        low, high = values.min(), values.max()
        shade = 0.8 * (values - low) / max(high - low, 1e-9)
        for word in words:
            axis.text(
                word, row, f"{values[word]:.2f}".removeprefix("0") if high < 1 else f"{values[word]:.1f}",
                ha="center", va="center", fontsize=7, color="white" if shade[word] > 0.55 else "black",
            )  # fmt: skip
        axis.imshow(
            shade[None, words], cmap=colours, vmin=0, vmax=1, aspect="auto",
            extent=(words[0] - 0.5, words[-1] + 0.5, row + 0.5, row - 0.5),
        )  # fmt: skip
    axis.set_ylim(len(measures) - 0.5, -0.5)
    axis.set_yticks(range(len(measures)), [NAMES.get(name, name) for name in measures])
    axis.tick_params(length=0, labelbottom=False)
