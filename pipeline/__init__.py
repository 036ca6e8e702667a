"""The stages of dvc.yaml: each reads its params, calls the library, writes its outs.

Run one alone from the project's root: `python -m pipeline.train bilstm`.
"""

import os
import sys
from pathlib import Path
from types import TracebackType

from sentiment_rnn.errors import UserError

# GNU OpenMP's threads spin while they wait for one another. Where another program holds a core, that costs a step of
# training up to a hundred times its time; this short a spin keeps the speed of a free machine and 2 to 3 times that.
# It is read when torch loads the library, so it stands here, before any stage imports torch.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def architecture_named() -> str:
    """The one argument of a stage that runs for each architecture, or for each linear rival.

    Raises:
        UserError: there is none, or more than one.
    """
    if len(sys.argv) != 2:
        stage = Path(sys.argv[0]).stem
        kind = "linear rival" if stage == "linear" else "architecture"
        raise UserError(f"name one {kind} of params.yaml: python -m pipeline.{stage} NAME")
    return sys.argv[1]


def home(name: str) -> Path:
    """The folder that holds an architecture's `models` and `reports`.

    The project's root, or, with a pipeline of its own (`NAME/dvc.yaml`), that one's: compare and register depend on
    the root's `models` and `reports/train` as a whole, and would be stale, or run it, if it wrote there.
    """
    return Path(name) if Path(name, "dvc.yaml").is_file() else Path()


def _say_in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of the user's is told without a traceback; Python then exits with status 1 (Ctrl-C: 130)."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    elif issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_in_one_line
