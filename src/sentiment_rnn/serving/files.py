"""Reviews in files, read and written a row at a time: CSV with a column `text`, JSON lines, a review a line."""

import csv
import json
from collections.abc import Callable, Iterable, Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple, TextIO

from sentiment_rnn.errors import UserError

TEXT, ANSWER = "text", ("predicted", "probability")  # the column that is read, and those that are added
LONGEST = 2**31 - 1  # characters in a field; Python's csv would stop at 131,072


class Kind(StrEnum):
    """How rows are written down; the end of a file's name says it."""

    CSV = "csv"
    JSONL = "jsonl"
    TXT = "txt"


class Row(NamedTuple):
    """A review and whatever stands beside it: `fields["text"]` is a string. `line`, from 1: where it begins."""

    line: int
    fields: dict[str, Any]


def kind_of(name: str, said: Kind | None) -> Kind:
    """What was said, else what the file's name ends in; CSV for standard input.

    Raises:
        UserError: neither says it.
    """
    if said or name == "-":
        return said or Kind.CSV
    ending = Path(name).suffix.lower().removeprefix(".")
    if ending not in list(Kind):
        raise UserError(f"{name}: a file's name ends in .csv, .jsonl or .txt, or the option says which it is")
    return Kind(ending)


def read(file: BinaryIO, name: str, kind: Kind, progress: Callable[[int], Any]) -> Iterator[Row]:
    """The rows, as they come.

    Args:
        file: UTF-8.
        name: for errors.
        kind: how it is written.
        progress: told how many bytes were read.

    Raises:
        UserError: by its line, what is not of that kind; or there is no row.
    """
    reader = {Kind.CSV: _csv, Kind.JSONL: _jsonl, Kind.TXT: _txt}[kind]
    row = None
    for row in reader(_lines(file, name, progress), name):
        if taken := row.fields.keys() & set(ANSWER):
            raise UserError(f"{name}: {min(taken)} is what the answer is called: rename it")
        yield row
    if row is None:
        raise UserError(f"{name}: holds no review")


def _lines(file: BinaryIO, name: str, progress: Callable[[int], Any]) -> Iterator[str]:
    for number, line in enumerate(file, 1):
        progress(len(line))
        try:
            yield line.decode("utf-8-sig" if number == 1 else "utf-8")
        except UnicodeDecodeError as error:
            raise UserError(f"{name}, line {number}: not UTF-8 ({error.reason})") from None


def _csv(lines: Iterator[str], name: str) -> Iterator[Row]:
    csv.field_size_limit(LONGEST)
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
            if values:  # a blank line is none
                yield Row(line, dict(zip(header, values, strict=True)))
            line = reader.line_num + 1
    except csv.Error as error:
        raise UserError(f"{name}, line {line}: not CSV ({error})") from None


def _jsonl(lines: Iterator[str], name: str) -> Iterator[Row]:
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


def _txt(lines: Iterator[str], name: str) -> Iterator[Row]:
    for number, line in enumerate(lines, 1):
        yield Row(number, {TEXT: line.rstrip("\r\n")})


class Writer:
    """Rows with their answers, each written when it is given.

    Args:
        file: opened with `newline=""`.
        kind: CSV or JSON lines.
    """

    def __init__(self, file: TextIO, kind: Kind) -> None:
        self.file, self.kind = file, kind
        self.csv: csv.DictWriter[str] | None = None

    def write(self, rows: Iterable[Row], answers: Iterable[dict[str, Any]]) -> None:
        """Write rows, and have them on their way before more are read.

        Raises:
            UserError: a row has other fields than the first, and they should be columns; it is no Unicode text.
        """
        for row, answer in zip(rows, answers, strict=True):
            said = dict(zip(ANSWER, (answer["label"], round(answer["probability"], 6)), strict=True))
            try:
                self._write(row.line, row.fields | said)
            except UnicodeEncodeError:
                raise UserError(f"line {row.line}: has half a character (a lone surrogate)") from None
        self.file.flush()

    def _write(self, line: int, fields: dict[str, Any]) -> None:
        if self.kind is Kind.JSONL:
            self.file.write(json.dumps(fields, ensure_ascii=False) + "\n")
            return
        if self.csv is None:
            self.csv = csv.DictWriter(self.file, list(fields), lineterminator="\n")
            self.csv.writeheader()
        if fields.keys() != set(self.csv.fieldnames):
            raise UserError(f"line {line}: has other fields than the first: as JSON lines they can be kept")
        self.csv.writerow(fields)
