"""`python -m sentiment_rnn.inspection "text"`: what happens inside the champion's cells, word by word."""

import argparse
import sys
from pathlib import Path

from sentiment_rnn.errors import UserError
from sentiment_rnn.inspection.show import show

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m sentiment_rnn.inspection", description=__doc__)
    parser.add_argument("text", nargs="?", default="", help="a review")
    parser.add_argument("--model", default="champion", help="champion, a version's number, or an architecture")
    parser.add_argument("--out", type=Path, default=Path("work/inspect.png"), help="the picture (a PNG)")
    given = parser.parse_args()
    try:
        show(given.text, given.model, given.out)
    except UserError as error:
        sys.exit(f"error: {error}")
