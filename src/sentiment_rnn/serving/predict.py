"""The champion on texts and on files of reviews, a chunk at a time."""

import os
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO

from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from tqdm import tqdm

from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file
from sentiment_rnn.serving.files import TEXT, Kind, Row, Writer, read

CHUNK = 256  # reviews that are held in memory


def one(model: PyFuncModel, text: str) -> dict[str, Any]:
    """The label of a text, and the probability that it is positive.

    Raises:
        UserError: it cannot be judged.
    """
    (answer,) = _ask(model, [text], ["the review"])
    return answer


def many(model: PyFuncModel, source: str, source_kind: Kind, target: Path | None, target_kind: Kind) -> None:
    """Judge the reviews of a file, and write each with what is said of it.

    Args:
        model: the champion.
        source: a file's name, or `-` for standard input.
        source_kind: how it is written.
        target: a file that is written whole or not at all; None: standard output, as the answers come.
        target_kind: CSV or JSON lines.

    Raises:
        UserError: a file cannot be read or written, or holds a row that cannot be judged: by its line.
    """
    name = "standard input" if source == "-" else source
    with _opened(source) as file, _written(target) as out:
        size = os.fstat(file.fileno()).st_size if source != "-" else None
        writer = Writer(out, target_kind)
        with tqdm(total=size, desc=name, unit="B", unit_scale=True) as bar:
            for rows in _chunks(read(file, name, source_kind, bar.update)):
                where = [f"{name}, line {row.line}: the review" for row in rows]
                answers = _ask(model, [row.fields[TEXT] for row in rows], where)
                writer.write(rows, answers)


def _ask(model: PyFuncModel, texts: list[str], where: list[str]) -> list[dict[str, Any]]:
    try:
        answers: list[dict[str, Any]] = model.predict(texts)
    except (MlflowException, ValueError) as error:  # the latter from versions that were registered long ago
        refused = re.match(r"text (\d+) (.+)", str(error))
        if not refused:
            raise
        raise UserError(f"{where[int(refused[1])]} {refused[2]}") from None
    return answers


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK)):
        yield chunk


@contextmanager
def _opened(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(source, "rb")  # noqa: SIM115
    except OSError as error:
        raise UserError(f"{source}: {error.strerror}") from None
    with file:
        yield file


@contextmanager
def _written(target: Path | None) -> Iterator[TextIO]:
    if target is None:
        assert hasattr(sys.stdout, "reconfigure")
        sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    try:
        with atomic_file(target) as file:
            yield file
    except OSError as error:
        raise UserError(f"{target}: {error.strerror}") from None
