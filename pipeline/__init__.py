"""The stages of dvc.yaml: each reads its params, calls the library, writes its outs.

Run one alone from the project's root: `python -m pipeline.train bilstm`.
"""

import os
import sys
from pathlib import Path
from statistics import fmean
from types import TracebackType
from typing import Any

from sentiment_rnn.errors import UserError
from sentiment_rnn.params import RECIPE

# GNU OpenMP's threads spin while they wait for one another. Where another program holds a core, that costs a step of
# training up to a hundred times its time; this short a spin keeps the speed of a free machine and 2 to 3 times that.
# It is read when torch loads the library, so it stands here, before any stage imports torch.
os.environ.setdefault("GOMP_SPINCOUNT", "1000")


def architecture_named() -> str:
    """The one argument of a stage that runs for each architecture, or for each linear rival.

    Raises:
        UserError: there is none, or more than one.
    """
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        stage = Path(sys.argv[0]).stem
        kind = "linear rival" if stage in ("linear", "predict") else "architecture"
        raise UserError(f"name one {kind} of params.yaml: python -m pipeline.{stage} NAME")
    return sys.argv[1]


def recipe_named() -> str | None:
    """The optional argument of a stage that best/dvc.yaml has as well: `best`.

    Raises:
        UserError: there is another one.
    """
    if sys.argv[1:] not in ([], [RECIPE[-1]]):
        stage = Path(sys.argv[0]).stem
        raise UserError(f"{RECIPE[-1]}, or nothing for the pipeline's own: python -m pipeline.{stage} [{RECIPE[-1]}]")
    return sys.argv[1] if len(sys.argv) == 2 else None


def home(name: str) -> Path:
    """The folder that holds an architecture's `models` and `reports`: the project's root, or `best`.

    What best/dvc.yaml trains stays out of the root's `models` and `reports/train`: compare and register there depend on
    these as a whole.
    """
    return Path("best") if name in RECIPE else Path()


def pretrained(name: str) -> Path:
    """The folder of what an architecture starts from; those of the recipe share what was learned for the last."""
    return Path("data/pretrained", RECIPE[-1] if name in RECIPE else name)


def report_of(name: str, protocol: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """What reports/train/NAME.json holds: each seed's figures, and before them the mean of those that people compare.

    `dvc metrics` and `dvc exp show` read no lists: they show the mean.
    """
    compared = ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "train_seconds")
    mean = {key: fmean(seed[key] for seed in seeds) for key in compared if key in seeds[0]}
    return {"architecture": name, "protocol": protocol, **mean, "seeds": seeds}


def _say_in_one_line(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A mistake of the user's is told without a traceback; Python then exits with status 1 (Ctrl-C: 130)."""
    if issubclass(kind, UserError):
        print(f"error: {error}", file=sys.stderr)
    elif issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _say_in_one_line
