"""The stages of dvc.yaml: each parses its argument, calls one function of the library, writes its report.

Run one from the project's root: `python -m pipeline.train bilstm`.
"""

import argparse
import sys
from types import TracebackType

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.environment import set_defaults
from sentiment_rnn.tracking import store_fault

set_defaults()  # here: before any stage imports torch


def parser(stage: str, description: str, name: str | None = None) -> argparse.ArgumentParser:
    """The command line of a stage.

    Args:
        stage: module of this package.
        description: for `--help`.
        name: what the one positional argument names; None: there is none.
    """
    made = argparse.ArgumentParser(prog=f"python -m pipeline.{stage}", description=description)
    if name:
        made.add_argument("name", metavar="NAME", help=f"{name} of params.yaml")
    return made


def _print_user_error(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    """A UserError, or a fault of MLflow's store, is printed without a traceback.

    Python then exits with status 1 (Ctrl-C: 130).
    """
    if found := error if isinstance(error, UserError) else store_fault(error):
        print(f"error: {found}", file=sys.stderr)
    elif issubclass(kind, KeyboardInterrupt):
        print("interrupted", file=sys.stderr)
    else:
        sys.__excepthook__(kind, error, trace)


sys.excepthook = _print_user_error
