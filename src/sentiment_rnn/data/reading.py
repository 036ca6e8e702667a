"""Tables of text columns from CSV, JSON-lines and Parquet files, plain or gzip, and from the hub; read by pyarrow."""

import shlex
from collections.abc import Sequence
from glob import glob
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet as pq

from sentiment_rnn.errors import UserError

DELIMITERS = (",", ";", "\t", "|")  # the one that the header has most often
BLOCK = 2**26  # bytes; a row has to fit into it
FORMATS = ".csv, .tsv, .jsonl, .ndjson, .json or .parquet, with or without .gz"
ENCODING_CURE = "name its encoding: init's option --encoding {0} or, in the entry, `encoding: {0}`"
UNREADABLE = (pa.ArrowException, OSError, EOFError, UnicodeDecodeError, LookupError)


def read_files(pattern: str, columns: Sequence[str], encoding: str = "utf-8") -> pa.Table:
    """The rows of all files that match a pattern, in the order of their names.

    Args:
        pattern: a file's name, or one with `*`, `?` or `**`.
        columns: those to read; all others are ignored.
        encoding: of CSV and JSON lines.

    Returns:
        Strings in CSV's columns; in those of JSON lines and Parquet what the file has.

    Raises:
        UserError: no file matches, or files cannot be read; one line for each.
    """
    files = sorted(path for path in map(Path, glob(pattern, recursive=True)) if path.is_file())
    if not files:
        raise UserError(f"{pattern}: no such file")
    tables, problems = [], []
    for file in files:
        try:
            tables.append(read_file(file, columns, encoding))
        except UserError as error:
            problems.append(str(error))
    if problems:
        raise UserError("\n".join(problems))
    try:
        return pa.concat_tables(tables)
    except pa.ArrowException:  # a column has other types in another file
        strings = pa.schema([(column, pa.string()) for column in tables[0].column_names])
        return pa.concat_tables([table.cast(strings) for table in tables])


def read_file(path: Path, columns: Sequence[str] | None, encoding: str = "utf-8") -> pa.Table:
    """Some columns of one file, None: all of them; see `read_files`."""
    suffixes = [suffix.lower() for suffix in path.suffixes]
    kind = next((suffix for suffix in reversed(suffixes) if suffix != ".gz"), "")
    if kind not in (".csv", ".tsv", ".jsonl", ".ndjson", ".json", ".parquet"):
        raise UserError(f"{path}: the name should end in {FORMATS}: save a spreadsheet as CSV")
    try:
        _check_compression(path)
        if kind == ".parquet":
            return _select(_parquet(path, columns), columns, path)
        with pa.input_stream(path) as raw:
            stream = pa.transcoding_input_stream(raw, encoding, "utf-8") if encoding != "utf-8" else raw
            read = _csv if kind in (".csv", ".tsv") else _json
            table = _select(read(path, stream, columns, encoding), columns, path)
        table.validate(full=True)  # that strings are valid UTF-8, too
    except UNREADABLE as error:
        raise UserError(f"{path}: {_reason(error, kind)}") from None
    return table


def _check_compression(path: Path) -> None:
    with path.open("rb") as file:
        is_gzip = file.read(2) == b"\x1f\x8b"
    if is_gzip != (path.suffix.lower() == ".gz"):
        renamed = f"{path}.gz" if is_gzip else path.with_suffix("")
        raise UserError(
            f"{path}: it is {'' if is_gzip else 'not '}gzip: `mv {shlex.quote(str(path))} {shlex.quote(str(renamed))}`"
        )


def _reason(error: BaseException, kind: str) -> str:
    message = " ".join(str(error).split())[:200]
    if isinstance(error, UnicodeDecodeError) or "UTF8" in message or "codec" in message:
        return f"not in UTF-8: {ENCODING_CURE.format('windows-1252')}"
    if isinstance(error, LookupError):
        return f"{message}: name an encoding that Python knows, such as windows-1252"
    if "object to array" in message:
        return "a JSON array: write one object per line, `jq -c '.[]' FILE > NEW.jsonl`"
    if "Empty" in message:
        return "empty: it should have at least one row"
    named = {".parquet": "Parquet"}.get(kind, "CSV" if kind in (".csv", ".tsv") else "JSON lines")
    return f"cannot be read as {named} ({message}): mend the row, or copy the file again"


def _csv(path: Path, stream: Any, columns: Sequence[str] | None, encoding: str) -> pa.Table:
    header = _header(path, encoding)
    if "\0" in header:
        raise UserError(f"{path}: not in UTF-8: {ENCODING_CURE.format('utf-16')}")
    delimiter = max(DELIMITERS, key=header.count)
    parsing = {
        # on one thread: only so an error has the number of its row
        "read_options": pyarrow.csv.ReadOptions(block_size=BLOCK, use_threads=False),
        "parse_options": pyarrow.csv.ParseOptions(delimiter=delimiter, newlines_in_values=True),
    }
    names = pyarrow.csv.read_csv(pa.BufferReader(f"{header}\n".encode()), **parsing).column_names
    present = _present(columns, names, path)
    strings = pyarrow.csv.ConvertOptions(
        include_columns=present, column_types=dict.fromkeys(present, pa.string()), strings_can_be_null=False
    )
    return pyarrow.csv.open_csv(stream, convert_options=strings, **parsing).read_all()


def _header(path: Path, encoding: str) -> str:
    with pa.input_stream(path) as stream:
        start = b""
        while b"\n" not in start and (more := stream.read(2**16)):
            start += more
    return start.decode(encoding, errors="replace").lstrip("\ufeff").partition("\n")[0].rstrip("\r")


def _json(path: Path, stream: Any, columns: Sequence[str] | None, _encoding: str) -> pa.Table:
    return pyarrow.json.read_json(stream, read_options=pyarrow.json.ReadOptions(block_size=BLOCK))


def _parquet(path: Path, columns: Sequence[str] | None) -> pa.Table:
    source = pa.BufferReader(pa.input_stream(path).read()) if path.suffix.lower() == ".gz" else path
    file = pq.ParquetFile(source)
    table = file.read(_present(columns, file.schema_arrow.names, path))
    table.validate(full=True)
    return table


def _select(table: pa.Table, columns: Sequence[str] | None, where: object) -> pa.Table:
    return table.select(_present(columns, table.column_names, where))


def _present(columns: Sequence[str] | None, names: Sequence[str], where: object) -> list[str]:
    """The columns, which have to be among `names`, once each; None: all."""
    columns = list(names) if columns is None else columns
    if missing := [column for column in columns if column not in names]:
        listed = ", ".join(names) or "none"
        raise UserError(f"{where}: no column {' and no column '.join(missing)}; its columns: {listed}")
    if twice := [column for column in columns if list(names).count(column) > 1]:
        raise UserError(f"{where}: two columns have the name {twice[0]}: rename one")
    return list(dict.fromkeys(columns))


def read_hub(hub: str, config: str | None, revision: str | None) -> dict[str, pa.Table]:
    """The splits of a data set on the hub, as memory-mapped tables.

    Raises:
        UserError: the hub cannot be reached, or has no such data set.
    """
    import datasets

    print(f"Reading {hub} from the hub ...", flush=True)
    try:
        found = datasets.load_dataset(hub, config, revision=revision)
    except Exception as error:
        # the client raises errors of many types, from name resolution to a corrupt archive
        raise UserError(
            f"the hub's {hub} cannot be read ({type(error).__name__}: {' '.join(str(error).split())[:200]})"
        ) from error
    return {name: split.data.table for name, split in found.items()}
