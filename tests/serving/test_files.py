"""Reviews in files: every kind read as it is meant, and what is not of its kind refused by its line."""

import io
import json

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.files import Kind, Row, Writer, kind_of, read


def rows(content: bytes, kind: Kind) -> list[Row]:
    return list(read(io.BytesIO(content), "in", kind, lambda count: None))


def written(kind: Kind, *given: Row) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    Writer(file, kind).write(given, [{"label": "positive", "probability": 0.98765432}] * len(given))
    return file.buffer.getvalue().decode()


def test_csv_keeps_its_columns_its_order_and_where_each_row_began():
    content = b'\xef\xbb\xbfid,text,stars\r\n1,"two\nlines, a ""quote""",5\r\n\r\n2,caf\xc3\xa9,\r\n'
    assert rows(content, Kind.CSV) == [
        Row(2, {"id": "1", "text": 'two\nlines, a "quote"', "stars": "5"}),
        Row(5, {"id": "2", "text": "café", "stars": ""}),
    ]


def test_json_lines_keep_their_keys():
    content = b'{"text": "good", "n": [1]}\n\n{"n": null, "text": "caf\\u00e9"}'
    assert rows(content, Kind.JSONL) == [Row(1, {"text": "good", "n": [1]}), Row(3, {"n": None, "text": "café"})]


def test_text_is_a_review_a_line():
    assert rows(b"good, very\r\n\nbad", Kind.TXT) == [
        Row(1, {"text": "good, very"}),
        Row(2, {"text": ""}),  # which the model will refuse
        Row(3, {"text": "bad"}),
    ]


def test_a_field_may_be_long():
    (row,) = rows(b"text\n" + b"word " * 200_000, Kind.CSV)
    assert len(row.fields["text"]) == 1_000_000


@pytest.mark.parametrize(
    ("kind", "content", "said"),
    [
        (Kind.CSV, b"", "in: no column text; its columns: none"),
        (Kind.CSV, b"review,label\ngood,1\n", "in: no column text; its columns: review, label"),
        (Kind.CSV, b"text;label\ngood;1\n", "in: no column text; its columns: text;label"),
        (Kind.CSV, b"text,text\na,b\n", "in: two columns have the same name: text, text"),
        (Kind.CSV, b"text\n", "in: holds no review"),
        (Kind.CSV, b'text,n\n"a\nb",1\nc\n', "in, line 4: 1 fields, the header has 2"),
        (Kind.CSV, b"text\na,b\n", "in, line 2: 2 fields, the header has 1"),
        (Kind.CSV, b'text\na\n"b\nc\n', "in, line 3: not CSV (unexpected end of data)"),
        (Kind.CSV, b'text\n"a"b\n', "in, line 2: not CSV (',' expected after '\"')"),
        (Kind.CSV, b"text\ngood\n\xff\xfe\n", "in, line 3: not UTF-8 (invalid start byte)"),
        (Kind.CSV, "text\ngood\n".encode("utf-16"), "in, line 1: not UTF-8 (invalid start byte)"),
        (Kind.CSV, b"text,probability\na,1\n", "in: probability is what the answer is called: rename it"),
        (Kind.JSONL, b'{"text": "a"}\n{"text"\n', "in, line 2: not JSON ("),
        (Kind.JSONL, b"[" * 100_000, "in, line 1: not JSON (maximum recursion depth"),
        (Kind.JSONL, b'"good"\n', 'in, line 1: should be an object with a string "text"'),
        (Kind.JSONL, b'{"review": "good"}\n', 'in, line 1: should be an object with a string "text"'),
        (Kind.JSONL, b'{"text": 3}\n', 'in, line 1: should be an object with a string "text"'),
        (Kind.JSONL, b"\n\n", "in: holds no review"),
        (Kind.TXT, b"good\n\x80\n", "in, line 2: not UTF-8 (invalid start byte)"),
        (Kind.TXT, b"", "in: holds no review"),
    ],
)
def test_what_is_not_of_its_kind_is_refused_in_one_line(kind, content, said):
    with pytest.raises(UserError) as caught:
        rows(content, kind)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "said", "kind"),
    [
        ("a.csv", None, Kind.CSV),
        ("a.b.JSONL", None, Kind.JSONL),
        ("a.txt", Kind.CSV, Kind.CSV),
        ("-", None, Kind.CSV),
        ("-", Kind.TXT, Kind.TXT),
        ("reviews", Kind.JSONL, Kind.JSONL),
    ],
)
def test_a_name_says_the_kind(name, said, kind):
    assert kind_of(name, said) is kind


@pytest.mark.parametrize("name", ["reviews", "reviews.tsv", ".csv/reviews"])
def test_a_name_that_does_not_say_it_is_refused(name):
    with pytest.raises(UserError, match=r"ends in \.csv, \.jsonl or \.txt"):
        kind_of(name, None)


def test_what_is_written_can_be_read_again():
    given = [Row(2, {"text": 'a "b",\nc', "n": "1"}), Row(3, {"text": "café", "n": ""})]
    again = io.StringIO(written(Kind.CSV, *given), newline="")
    assert again.getvalue().startswith('text,n,predicted,probability\n"a ""b"",\nc",1,positive,0.987654\n')
    lines = written(Kind.JSONL, *given).splitlines()
    answer = {"predicted": "positive", "probability": 0.987654}
    assert [json.loads(line) for line in lines] == [row.fields | answer for row in given]
    assert "café" in lines[1]


def test_rows_of_other_fields_are_no_table_but_json_lines():
    given = [Row(1, {"text": "a"}), Row(2, {"text": "b", "n": 1})]
    assert len(written(Kind.JSONL, *given).splitlines()) == 2
    with pytest.raises(UserError, match=r"^line 2: has other fields than the first: as JSON lines"):
        written(Kind.CSV, *given)


def test_half_a_character_cannot_be_written():
    with pytest.raises(UserError, match=r"^line 7: has half a character"):
        written(Kind.JSONL, Row(7, {"text": "good", "who": "\ud800"}))
