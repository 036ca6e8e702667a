"""The texts of a request: JSON in each of MLflow's four formats, or CSV."""

import json
import zlib
from io import BytesIO
from itertools import islice
from typing import Any

from starlette.exceptions import HTTPException

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.files import TEXT, FileFormat, read_rows

MAX_BYTES = 10 * 2**20  # of a request, as sent and unpacked
MAX_TEXTS = 10_000  # half a minute of work
CONTENT_TYPES = ("application/json", "text/csv")
EXAMPLES = {
    "inputs": '["What a film!"]',
    "instances": '["What a film!"]',
    "dataframe_split": '{"columns": ["text"], "data": [["What a film!"]]}',
    "dataframe_records": '[{"text": "What a film!"}]',
}
TYPES = {str: "a text", bool: "a boolean", float: "a number", list: "a list", dict: "an object"}


def unpack(body: bytes) -> bytes:
    """The content of a gzip body.

    Raises:
        UserError: it is not gzip.
        HTTPException: 413, the content is larger than `MAX_BYTES`.
    """
    unpacker = zlib.decompressobj(wbits=31)  # gzip
    try:
        unpacked = unpacker.decompress(body, MAX_BYTES + 1)
    except zlib.error as error:
        raise UserError(f"the body is not gzip, as its Content-Encoding: {error}") from None
    if len(unpacked) > MAX_BYTES:
        raise HTTPException(413, f"the unpacked body is larger than {MAX_BYTES:,} bytes: send several requests")
    if not unpacker.eof or unpacker.unused_data:
        raise UserError("the body is not one complete gzip stream")
    return unpacked


def parse_texts(body: bytes, content_type: str) -> list[str]:
    """The texts of a request, as they were sent: "NA" and "null" are texts too.

    Args:
        body: of the request, unpacked.
        content_type: one of `CONTENT_TYPES`.

    Raises:
        UserError: the body is not of that type and format, or has too many texts; the message has the position.
    """
    if content_type == "text/csv":
        rows = read_rows(BytesIO(body), "the body", FileFormat.CSV, lambda size: None)
        texts = [row.fields[TEXT] for row in islice(rows, MAX_TEXTS + 1)]
    else:
        texts = _parse_json(body)
    if len(texts) > MAX_TEXTS:
        raise UserError(f"there are more than {MAX_TEXTS:,} texts: send several requests")
    return texts


def _parse_json(body: bytes) -> list[str]:
    try:
        payload = json.loads(body.decode("utf-8-sig"), parse_int=float)  # an int may have too many digits
    except UnicodeDecodeError as error:
        raise UserError(f"the body is not UTF-8: {error.reason} at byte {error.start}") from None
    except (ValueError, RecursionError) as error:
        raise UserError(f"the body is not JSON: {error}") from None
    if not isinstance(payload, dict) or len(payload) != 1 or not payload.keys() <= EXAMPLES.keys():
        found = f"has {', '.join(payload) or 'none'}" if isinstance(payload, dict) else f"is {_kind(payload)}"
        raise UserError(f"the body should be an object with one of the keys {', '.join(EXAMPLES)}; it {found:.200}")
    ((key, value),) = payload.items()
    return [_text(row, f"{key}[{number}]") for number, row in enumerate(_rows(key, value))]


def _rows(key: str, value: Any) -> list[Any]:
    """The rows of a format: each is the text, or an object with it as `text`."""
    if key == "dataframe_split" and isinstance(value, dict):
        columns, data = value.get("columns"), value.get("data")
        if isinstance(columns, list) and isinstance(data, list) and all(isinstance(name, str) for name in columns):
            if TEXT not in columns:
                raise UserError(f"{key} has no column {TEXT}; its columns: {', '.join(columns) or 'none':.200}")
            return [_record(columns, row, f"{key}.data[{number}]") for number, row in enumerate(data)]
    elif key in ("inputs", "instances") and isinstance(value, dict) and value.keys() == {TEXT}:
        value = value[TEXT]  # a frame as columns
    if key in ("inputs", "instances") and isinstance(value, str):
        return [value]
    if key != "dataframe_split" and isinstance(value, list):
        return value
    raise UserError(f"{key} is {_kind(value)}; it should be of the form {EXAMPLES[key]}")


def _record(columns: list[str], row: Any, position: str) -> dict[str, Any]:
    if not isinstance(row, list) or len(row) != len(columns):
        raise UserError(f"{position} should be a list of as many values as there are columns ({len(columns)})")
    return dict(zip(columns, row, strict=True))


def _text(row: Any, position: str) -> str:
    if isinstance(row, dict):
        if TEXT not in row:
            raise UserError(f"{position} has no key {TEXT}")
        row, position = row[TEXT], f"{position}.{TEXT}"
    if not isinstance(row, str):
        raise UserError(f"{position} is {_kind(row)}, not a text")
    return row


def _kind(value: Any) -> str:
    return TYPES.get(type(value), "null")
