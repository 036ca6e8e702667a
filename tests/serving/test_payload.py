"""Texts of a request: every format, texts that look like missing values, and what is wrong in the caller's words."""

import gzip
import json

import pandas as pd
import pytest
from starlette.exceptions import HTTPException

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.payload import MAX_BYTES, MAX_TEXTS, parse_texts, unpack

TEXTS = ["What a film!", "NA", "null", "nan", "", "3", "True", 'two\nlines, a "quote"', " café "]
FRAME = pd.DataFrame({"id": range(len(TEXTS)), "text": TEXTS, "label": 1})


def from_json(value) -> list[str]:
    return parse_texts(value if isinstance(value, bytes) else json.dumps(value).encode(), "application/json")


def split(columns: list, *data) -> dict:
    return {"dataframe_split": {"columns": columns, "data": list(data)}}


@pytest.mark.parametrize(
    "value",
    [
        {"inputs": TEXTS},
        {"instances": TEXTS},
        {"inputs": {"text": TEXTS}},
        {"instances": [{"text": text} for text in TEXTS]},
        {"dataframe_split": FRAME.to_dict(orient="split")},
        {"dataframe_split": {"columns": ["text"], "data": [[text] for text in TEXTS]}},
        {"dataframe_records": FRAME.to_dict(orient="records")},
    ],
    ids=range(7),
)
def test_json_has_the_texts_in_each_of_mlflows_formats(value):
    assert from_json(value) == TEXTS


@pytest.mark.parametrize("index", [False, True])
def test_csv_of_pandas_has_the_texts_and_no_missing_values(index):
    assert parse_texts(FRAME.to_csv(index=index).encode(), "text/csv") == TEXTS


def test_one_text_needs_no_list():
    assert from_json({"inputs": "good"}) == from_json({"instances": {"text": "good"}}) == ["good"]


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (b"", "the body is not JSON: Expecting value"),
        (b"good", "the body is not JSON: Expecting value"),
        (b'{"inputs": ["\xff"]}', "the body is not UTF-8: invalid start byte at byte 13"),
        (json.dumps({"inputs": ["good"]}).encode("utf-16"), "the body is not UTF-8: invalid start byte at byte 0"),
        (b'{"inputs": ' + b"[" * 100_000, "the body is not JSON: maximum recursion depth exceeded"),
        (["good"], "the body should be an object with one of the keys inputs, instances, dataframe_split, "
                   "dataframe_records; it is a list"),
        ({}, "the body should be an object with one of the keys inputs, .*; it has none"),
        ({"texts": ["good"]}, "the body should be an object with one of the keys inputs, .*; it has texts"),
        ({"inputs": ["a"], "instances": ["b"]}, "the body should .*; it has inputs, instances"),
        ({"inputs": None}, r'inputs is null; it should be of the form \["What a film!"\]'),
        ({"inputs": {"review": ["good"]}}, "inputs is an object; it should be of the form"),
        ({"inputs": [3]}, r"inputs\[0\] is a number, not a text"),
        (b'{"inputs": [' + b"1" * 5_000 + b"]}", r"inputs\[0\] is a number, not a text"),
        ({"instances": ["good", None]}, r"instances\[1\] is null, not a text"),
        ({"instances": ["good", float("nan")]}, r"instances\[1\] is a number, not a text"),
        ({"inputs": [["good"]]}, r"inputs\[0\] is a list, not a text"),
        ({"inputs": {"text": ["good", True]}}, r"inputs\[1\] is a boolean, not a text"),
        ({"dataframe_records": "good"}, "dataframe_records is a text; it should be of the form"),
        ({"dataframe_records": [{"review": "good"}]}, r"dataframe_records\[0\] has no key text"),
        ({"dataframe_records": [{"text": 3}]}, r"dataframe_records\[0\].text is a number, not a text"),
        ({"dataframe_split": ["good"]}, "dataframe_split is a list; it should be of the form"),
        ({"dataframe_split": {"data": [["good"]]}}, "dataframe_split is an object; it should be of the form"),
        (split(["review"]), "dataframe_split has no column text; its columns: review"),
        (split(["text"], "good"), r"dataframe_split.data\[0\] should be a list of as many values as there are columns"),
        (split(["text"], ["a"], ["b", "c"]), r"dataframe_split.data\[1\] should be a list"),
        (split([["text"]], ["a"]), "dataframe_split is an object; it should be"),
        ({"inputs": ["a"] * (MAX_TEXTS + 1)}, "there are more than 10,000 texts: send several requests"),
    ],
    ids=range(27),
)  # fmt: skip
def test_an_error_is_one_line_in_the_words_of_the_request(value, reason):
    with pytest.raises(UserError, match=f"^{reason}") as caught:
        from_json(value)
    assert len(str(caught.value)) < 400
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "the body: no column text; its columns: none"),
        (b"good\nbad\n", "the body: no column text; its columns: good"),
        (b"text\n", "the body: contains no reviews"),
        (b"text,id\ngood,1\nbad\n", "the body, line 3: 1 fields, the header has 2"),
        (b'text\n"good', r"the body, line 2: not CSV \(unexpected end of data\)"),
        (b"text\n\xff\n", "the body, line 2: not UTF-8"),
        (b"text\n" + b"a\n" * (MAX_TEXTS + 1), "there are more than 10,000 texts"),
    ],
    ids=range(7),
)
def test_an_error_in_csv_has_its_line(body, reason):
    with pytest.raises(UserError, match=f"^{reason}"):
        parse_texts(body, "text/csv")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"inputs": ["good"]}', "the body is not gzip, as its Content-Encoding: "),
        (gzip.compress(b'{"inputs": ["good"]}')[:-1], "the body is not one complete gzip stream"),
        (gzip.compress(b'{"inputs": ["good"]}') + b"more", "the body is not one complete gzip stream"),
        (b"", "the body is not one complete gzip stream"),
    ],
    ids=range(4),
)
def test_a_body_that_is_not_gzip_is_an_error(body, reason):
    with pytest.raises(UserError, match=f"^{reason}"):
        unpack(body)


def test_a_gzip_bomb_is_unpacked_to_the_limit_only():
    bomb = gzip.compress(bytes(20 * MAX_BYTES))
    with pytest.raises(HTTPException, match="413: the unpacked body is larger than 10,485,760 bytes"):
        unpack(bomb)
