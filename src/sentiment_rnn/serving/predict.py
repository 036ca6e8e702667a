"""Predictions of the registered model for a text, and for files of reviews in chunks."""

import gzip
import re
import sys
import zlib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, TextIO, cast

import pandas as pd
from mlflow.exceptions import MlflowException
from mlflow.pyfunc import PyFuncModel
from tqdm import tqdm

from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file
from sentiment_rnn.serving.files import TEXT, FileFormat, Row, Writer, is_compressed, read_rows

CHUNK_SIZE = 256  # reviews in memory at a time


def predict_texts(model: PyFuncModel, texts: list[str]) -> list[dict[str, Any]]:
    """For each text `label`, `probability` and `known_words`, as the registered model predicts them.

    Raises:
        MlflowException: a text is invalid Unicode; the message begins with its position.
    """
    # object: pandas' strings cannot hold a lone surrogate, which the model refuses with its position
    predictions: list[dict[str, Any]] = model.predict(pd.DataFrame({TEXT: pd.Series(texts, dtype=object)}))
    return predictions


def predict_text(model: PyFuncModel, text: str) -> dict[str, Any]:
    """The `label` of a text, the `probability` that it is positive, and the number of `known_words`.

    Raises:
        UserError: the text is invalid Unicode.
    """
    (prediction,) = _predict(model, [text], ["the review"])
    return prediction


def predict_file(
    model: PyFuncModel, source: str, source_format: FileFormat, target: Path | None, target_format: FileFormat
) -> None:
    """Predict the reviews of a file, and write every row with its prediction.

    Args:
        model: of the registry.
        source: a file's name, or `-` for standard input.
        source_format: of the source.
        target: a file, written completely or not at all; None: standard output, chunk by chunk.
        target_format: CSV or JSON lines.

    Raises:
        UserError: a file cannot be read or written, or a row has no valid text; the message names its line.
    """
    name = "standard input" if source == "-" else source
    with _open_source(source) as file, _open_target(target) as out:
        size = 0 if source == "-" or is_compressed(source) else Path(source).stat().st_size
        writer = Writer(out, target_format)
        with tqdm(total=size or None, desc=name, unit="B", unit_scale=True) as bar:
            for rows in _chunks(read_rows(file, name, source_format, bar.update)):
                names = [f"{name}, line {row.line}: the review" for row in rows]
                writer.write(rows, _predict(model, [row.fields[TEXT] for row in rows], names))


def _predict(model: PyFuncModel, texts: list[str], names: list[str]) -> list[dict[str, Any]]:
    """Predictions of texts; if the model rejects one, the error contains its name in place of its index."""
    try:
        return predict_texts(model, texts)
    except MlflowException as error:
        invalid = re.match(r"text (\d+) (.+)", str(error))
        if not invalid:
            raise
        raise UserError(f"{names[int(invalid[1])]} {invalid[2]}") from None


def _chunks(rows: Iterable[Row]) -> Iterator[list[Row]]:
    rows = iter(rows)
    while chunk := list(islice(rows, CHUNK_SIZE)):
        yield chunk


@contextmanager
def _open_source(source: str) -> Iterator[BinaryIO]:
    if source == "-":
        yield sys.stdin.buffer
        return
    try:
        file = open(source, "rb")  # noqa: SIM115
    except OSError as error:
        raise UserError(f"{source} cannot be read: {error.strerror}") from None
    with file, gzip.open(file) if is_compressed(source) else file as reviews:
        try:
            yield cast(BinaryIO, reviews)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise UserError(f"{source}: not a complete gzip file: {error}") from None


@contextmanager
def _open_target(target: Path | None) -> Iterator[TextIO]:
    if target is None:
        assert hasattr(sys.stdout, "reconfigure")
        sys.stdout.reconfigure(encoding="utf-8", newline="")
        yield sys.stdout
        return
    try:
        with atomic_file(target) as file:
            yield file
    except OSError as error:
        raise UserError(f"{target} cannot be written: {error.strerror}") from None
