"""Atomic writes of files and folders, and one-line errors for files that cannot be read."""

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
    """Turn the errors of reading a truncated or wrong file of `folder` into one line.

    Raises:
        UserError: instead of the errors that JSON, numpy, safetensors and torch raise for such a file.
    """
    try:
        yield
    except (KeyError, RuntimeError, SafetensorError, TypeError, ValueError) as error:
        raise UserError(
            f"{folder} holds a corrupt file ({type(error).__name__}): `dvc checkout --force {folder}` restores it, "
            "or run the stage that writes it"
        ) from error


@contextmanager
def atomic_folder(path: str | Path) -> Iterator[Path]:
    """Yield a folder that replaces `path` when the block succeeds, and is removed when it fails."""
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
    """Yield a text file that replaces `path` when the block succeeds, and is removed when it fails.

    Links are followed, and the file that is replaced keeps its mode. A device or a pipe is written to directly.
    """
    path = Path(path)
    if path.exists() and not path.is_file():
        with path.open("w", encoding="utf-8", newline="") as file:
            yield file
        return
    path = Path(os.path.realpath(path))
    path.parent.mkdir(parents=True, exist_ok=True)
    # several machines may write the same file of a shared folder at once
    partial = path.with_name(f"{path.name}.{socket.gethostname()}-{os.getpid()}.partial")
    try:
        with partial.open("w", encoding="utf-8", newline="") as file:
            yield file
        if path.exists():
            shutil.copymode(path, partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)


def write_json(path: str | Path, value: Any) -> None:
    """Write `value` as indented JSON, atomically."""
    with atomic_file(path) as file:
        file.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


def read_json(path: str | Path) -> Any:
    """Read a JSON file.

    Raises:
        UserError: the file is missing or corrupt.
    """
    path = Path(path)
    try:
        with refuse_corrupt_files(path.parent):
            return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UserError(f"{path} is missing: run `dvc repro`, or the stage that writes it") from None
