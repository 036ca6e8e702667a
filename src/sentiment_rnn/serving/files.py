"""Reviews in CSV, JSON-lines and text files, read and written one row at a time."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from sentiment_rnn.errors import UserError

TEXT = "text"  # the column of the reviews
PREDICTION = ("label", "probability")  # the columns that a prediction adds
BESIDE_A_LABEL = ("predicted_label", "predicted_probability")  # their names where the file has such columns itself
MAX_FIELD_LENGTH = 2**31 - 1  # characters; the default of Python's csv is 131,072


class FileFormat(StrEnum):
    """The format of a file of reviews, by default the suffix of its name."""

    CSV = "csv"
    JSONL = "jsonl"
    TXT = "txt"


def is_compressed(name: str) -> bool:
    """Whether the name of a file says that it is compressed by gzip."""
    return name.lower().endswith(".gz")


class Row(NamedTuple):
    """A row: `fields["text"]` is the review, a string; `line` is the number of its first line in the file, from 1."""

    line: int
    fields: dict[str, Any]


def infer_format(name: str, chosen: FileFormat | None, option: str) -> FileFormat:
    """The chosen format, else the suffix of the file's name; CSV for `-`, the standard streams.

    Raises:
        UserError: the suffix is not a format; `option` is the option that would choose one.
    """
    if chosen or name == "-":
        return chosen or FileFormat.CSV
    suffix = Path(name).suffix.lower().removeprefix(".")
    if suffix not in list(FileFormat):
        raise UserError(f"{name}: the name should end in .csv, .jsonl or .txt, or choose the format with {option} csv")
    return FileFormat(suffix)


def read_rows(file: BinaryIO, name: str, file_format: FileFormat, progress: Callable[[int], Any]) -> Iterator[Row]:
    """Read the rows one by one.

    Args:
        file: UTF-8, with or without a byte order mark.
        name: for error messages.
        file_format: CSV and JSON lines have a column or key `text`; of a text file each line is a review.
        progress: called with the size of each line in bytes.

    Raises:
        UserError: a line is not in that format, or there are no rows; the message names the line.
    """
    parse = {FileFormat.CSV: _parse_csv, FileFormat.JSONL: _parse_jsonl, FileFormat.TXT: _parse_txt}[file_format]
    row = None
    for row in parse(_decode(file, name, progress), name):
        yield row
    if row is None:
        raise UserError(f"{name}: contains no reviews: write at least one row")


def _decode(file: BinaryIO, name: str, progress: Callable[[int], Any]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        progress(len(line))
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: not UTF-8 ({error.reason}): convert the file") from None


def _parse_csv(lines: Iterator[str], name: str) -> Iterator[Row]:
    csv.field_size_limit(MAX_FIELD_LENGTH)
    reader = csv.reader(lines, strict=True)
    line = 1
    try:
        header = next(reader, [])
        if TEXT not in header:
            raise UserError(f"{name}: no column {TEXT}; its columns: {', '.join(header) or 'none'}")
        if len(set(header)) < len(header):
            raise UserError(f"{name}: two columns have the same name: {', '.join(header)}")
        line = reader.line_num + 1
        for values in reader:
            if values and len(values) != len(header):
                raise UserError(f"{name}, line {line}: {len(values)} fields, the header has {len(header)}")
            if values:  # blank lines are skipped
                yield Row(line, dict(zip(header, values, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{name}, line {line}: not CSV ({error})") from None


def _parse_jsonl(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            fields = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UserError(f"{name}, line {number}: not JSON ({error})") from None
        if not isinstance(fields, dict) or not isinstance(fields.get(TEXT), str):
            raise UserError(f'{name}, line {number}: should be an object with a string "{TEXT}"')
        yield Row(number, fields)


def _parse_txt(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        yield Row(number, {TEXT: line.rstrip("\r\n")})


class Writer:
    """Writes rows with their predictions as CSV or JSON lines.

    Args:
        file: opened with `newline=""`.
        file_format: CSV or JSON lines.
    """

    def __init__(self, file: TextIO, file_format: FileFormat) -> None:
        self.file, self.file_format = file, file_format
        self.csv: csv.DictWriter[str] | None = None
        self.added: tuple[str, str] | None = None  # the names of the columns: the first row decides

    def write(self, rows: Iterable[Row], predictions: Iterable[dict[str, Any]]) -> None:
        """Write rows with `label` and `probability` added, and flush, so that a pipe passes them on immediately.

        If the first row has such a column, the added ones are `predicted_label` and `predicted_probability`.

        Raises:
            UserError: a row's fields differ from the first row's and the format is CSV, a field is invalid Unicode, or
                a row has a field with the name of an added one.
        """
        for row, prediction in zip(rows, predictions, strict=True):
            label, probability = (prediction[column] for column in PREDICTION)
            if self.added is None:
                self.added = BESIDE_A_LABEL if row.fields.keys() & set(PREDICTION) else PREDICTION
            if taken := row.fields.keys() & set(self.added):
                raise UserError(f"line {row.line}: {min(taken)} is a column of the predictions: rename it in the file")
            try:
                self._write(row.line, row.fields | dict(zip(self.added, (label, round(probability, 6)), strict=True)))
            except UnicodeEncodeError:
                raise UserError(f"line {row.line}: contains a lone surrogate (invalid Unicode): remove it") from None
        self.file.flush()

    def _write(self, line: int, fields: dict[str, Any]) -> None:
        if self.file_format is FileFormat.JSONL:
            self.file.write(json.dumps(fields, ensure_ascii=False) + "\n")
            return
        if self.csv is None:
            self.csv = csv.DictWriter(self.file, list(fields), lineterminator="\n")
            self.csv.writeheader()
        if fields.keys() != set(self.csv.fieldnames):
            raise UserError(f"line {line}: its fields differ from the first row's: write JSON lines with --to jsonl")
        self.csv.writerow(fields)
