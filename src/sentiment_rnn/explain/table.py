"""The trace as a table for a terminal: a line a word."""

import math

from rich.table import Table
from rich.text import Text

from sentiment_rnn.explain.trace import Trace

ARROWS = {"forward": "→", "backward": "←"}
LEGEND = (
    "→ forward, ← backward; the gates' means over the units: f forget, i input, o output, r reset, u update; norms of "
    "the cell state |c| and the hidden state |h|; share in the pooling, %; P(positive) of the text so far"
)


def table(trace: Trace) -> Table:
    """Of each word the gates' means and the states' norms by direction, its share in the pooling, the probability.

    Words are set as they are: nothing in them is read as rich's markup.
    """
    columns: dict[str, list[str]] = {}
    for direction, measures in trace.cells.items():
        for name, values in measures.items():
            short = name if name.startswith("|") else name[0]
            columns[f"{ARROWS.get(direction, '')}{short}"] = [_short(value) for value in values]
    for name, shares in trace.pooling.items():
        columns[f"{name} %"] = [f"{share:.1f}" for share in 100 * shares]
    columns["P"] = ["" if math.isnan(value) else f"{value:.3f}" for value in trace.probability]

    drawn = Table(box=None, pad_edge=False, header_style="dim")
    drawn.add_column("word", no_wrap=True)
    for header in columns:
        drawn.add_column(header, justify="right", no_wrap=True)
    for place, (word, known) in enumerate(zip(trace.words, trace.known, strict=True)):
        drawn.add_row(Text(word, style="" if known else "dim"), *(column[place] for column in columns.values()))
    return drawn


def _short(value: float) -> str:
    """Three characters: .68, 5.2, 12."""
    if value < 0.995:
        return f"{value:.2f}".removeprefix("0")
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
