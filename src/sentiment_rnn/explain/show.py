"""A review through a model, for people: a table on the terminal and a picture."""

import warnings
from pathlib import Path

from rich.console import Console
from rich.text import Text

from sentiment_rnn.errors import UserError
from sentiment_rnn.explain import source
from sentiment_rnn.explain.plot import draw
from sentiment_rnn.explain.table import LEGEND, table
from sentiment_rnn.explain.trace import trace


def show(text: str, named: str, out: Path) -> None:
    """Print the trace of a text through a model, and write its picture.

    Args:
        text: raw, as a user writes it.
        named: the model: see `source.load`.
        out: where the picture goes, a PNG.

    Raises:
        UserError: there is no such model, the text has no words, or the picture's file cannot be written.
    """
    if out.suffix != ".png":
        raise UserError(f"{out} is no name of a picture: OUT=work/inspect.png")
    predictor, what = source.load(named)
    walked = trace(predictor, text)
    console = Console(highlight=False, soft_wrap=True)
    console.width = max(console.width, 100)  # a narrower table would be cut, not folded
    console.print(table(walked))
    for line in [LEGEND, what, *walked.notes]:
        console.print(Text(line))
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph")  # of a script that the font lacks: the picture has boxes for it
        try:
            out.parent.mkdir(parents=True, exist_ok=True)
            draw(walked, what).savefig(out, dpi=130)
        except OSError as error:
            raise UserError(f"{out} cannot be written: {error.strerror}") from error
    console.print(Text(f"picture: {out}"))
