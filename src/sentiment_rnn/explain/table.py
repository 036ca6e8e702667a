"""The trace as a table for a terminal, one row per word."""

import math

from rich.table import Table
from rich.text import Text

from sentiment_rnn.explain.trace import Trace

ARROWS = {"forward": "→", "backward": "←"}
LEGEND = (
    "→ forward, ← backward; means of the gates over the units: f forget, i input, o output, r reset, u update; norms "
    "of the cell state |c| and the hidden state |h|; share in the pooling, %; P({class_name}) of the text so far"
)


def build_table(trace: Trace) -> Table:
    """The table: gates and states of each direction, shares in the pooling, probability.

    Words are `Text`, so that rich does not interpret markup in them.
    """
    columns: dict[str, list[str]] = {}
    for direction, measures in trace.cells.items():
        for name, values in measures.items():
            short = name if name.startswith("|") else name[0]
            columns[f"{ARROWS.get(direction, '')}{short}"] = [_short(value) for value in values]
    for name, shares in trace.pooling.items():
        columns[f"{name} %"] = [f"{share:.1f}" for share in 100 * shares]
    columns["P"] = ["" if math.isnan(value) else f"{value:.3f}" for value in trace.probability]

    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("word", no_wrap=True)
    for header in columns:
        table.add_column(header, justify="right", no_wrap=True)
    for row, (word, known) in enumerate(zip(trace.words, trace.known, strict=True)):
        table.add_row(Text(word, style="" if known else "dim"), *(column[row] for column in columns.values()))
    return table


def _short(value: float) -> str:
    """Three characters: .68, 5.2, 12."""
    if value < 0.995:
        return f"{value:.2f}".removeprefix("0")
    return f"{value:.1f}" if value < 9.95 else f"{value:.0f}"
