"""The command `sentiment-rnn explain`: a table on the terminal, and a plot."""

import warnings
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain.loading import load_predictor
from sentiment_rnn.explain.plot import plot_trace
from sentiment_rnn.explain.table import LEGEND, build_table
from sentiment_rnn.explain.trace import trace


def explain(text: str, model: str, out: Path) -> None:
    """Print the trace of a text through a model, and write its plot.

    Args:
        text: a raw review.
        model: its name, as in `load_predictor`.
        out: the plot's file, a PNG.

    Raises:
        UserError: there is no such model, the text has no words, or the plot cannot be written.
    """
    if out.suffix != ".png":
        raise UserError(f"{out}: the plot's name should end in .png, such as work/explain.png")
    predictor, label = load_predictor(model)
    class_name = params.load().dataset.class_names[1]
    traced = trace(predictor, text)
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, 100)  # rich would cut the columns of a narrower table
    console.print(build_table(traced))
    for line in [LEGEND.format(class_name=class_name), label, *traced.notes]:
        console.print(Text(line))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # matplotlib's font lacks some scripts; the plot shows boxes
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            plot_trace(traced, label, class_name).savefig(out, dpi=130)
        except OSError as error:
            raise UserError(f"{out} cannot be written: {error.strerror}") from error
    console.print(Text(f"plot: {out}"))
