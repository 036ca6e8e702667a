"""Writing so that a reader never meets half a file."""

import json
import os
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from safetensors import SafetensorError

from sentiment_rnn.errors import UserError


@contextmanager
def refuse_corrupt_files(folder: str | Path) -> Iterator[None]:
    """Read files of a stage's folder in this block: one that was cut off, or is another's, is refused in one line.

    Raises:
        UserError: in place of what Python, numpy, safetensors and torch make of such a file.
    """
    try:
        yield
    except (KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder} holds a broken file ({type(error).__name__}): remove it and run `dvc checkout`, "
            "or the stage that writes it"
        ) from error


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Give a folder to write to that takes `path`'s place once the block has ended well, and is removed otherwise."""
    path = Path(path)
    partial = path.with_name(f"{path.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    try:
        yield partial
        shutil.rmtree(path, ignore_errors=True)
        os.replace(partial, path)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


@contextmanager
def atomic_file(path: str | Path) -> Iterator[TextIO]:
    """Give a text file to write to that takes `path`'s place once the block has ended well; it is removed otherwise."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    # machines may write the same file into a shared folder at once
    partial = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, at once or not at all."""
    with atomic_file(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """What `write_json` wrote.

    Raises:
        UserError: it is not there.
    """
    try:
        return json.loads(Path(path).read_text())
    except FileNotFoundError:
        raise UserError(f"{path} is not there: run `dvc repro`, or the stage that writes it") from None
