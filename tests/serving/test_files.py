"""Files of reviews: every format is read and written, errors name the line, memory does not grow."""

import io
import json
import tracemalloc

import pytest

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.files import FileFormat, Row, Writer, infer_format, read_rows
from sentiment_rnn.serving.predict import predict_file


def rows(content: bytes, file_format: FileFormat) -> list[Row]:
    return list(read_rows(io.BytesIO(content), "in", file_format, lambda count: None))


def written(file_format: FileFormat, *rows: Row) -> str:
    file = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="")
    Writer(file, file_format).write(rows, [{"label": "positive", "probability": 0.98765432}] * len(rows))
    return file.buffer.getvalue().decode()


def test_csv_has_its_columns_in_order_and_the_line_of_each_row():
    content = b'\xef\xbb\xbfid,text,stars\r\n1,"two\nlines, a ""quote""",5\r\n\r\n2,caf\xc3\xa9,\r\n'
    assert rows(content, FileFormat.CSV) == [
        Row(2, {"id": "1", "text": 'two\nlines, a "quote"', "stars": "5"}),
        Row(5, {"id": "2", "text": "café", "stars": ""}),
    ]


def test_json_lines_have_all_their_keys():
    content = b'{"text": "good", "n": [1]}\n\n{"n": null, "text": "caf\\u00e9"}'
    assert rows(content, FileFormat.JSONL) == [Row(1, {"text": "good", "n": [1]}), Row(3, {"n": None, "text": "café"})]


def test_predictions_beside_a_label_have_other_names():
    row = Row(2, {"text": "a", "label": "1"})
    assert written(FileFormat.CSV, row) == "text,label,predicted_label,predicted_probability\na,1,positive,0.987654\n"
    with pytest.raises(UserError, match="line 3: label is a column of the predictions: rename it"):
        written(FileFormat.JSONL, Row(2, {"text": "a"}), Row(3, {"text": "b", "label": "1"}))


def test_text_has_one_review_per_line():
    assert rows(b"good, very\r\n\nbad", FileFormat.TXT) == [
        Row(1, {"text": "good, very"}),
        Row(2, {"text": ""}),  # an error of the model
        Row(3, {"text": "bad"}),
    ]


def test_a_field_may_have_a_million_characters():
    (row,) = rows(b"text\n" + b"word " * 200_000, FileFormat.CSV)
    assert len(row.fields["text"]) == 1_000_000


@pytest.mark.parametrize(
    ("file_format", "content", "message"),
    [
        (FileFormat.CSV, b"", "in: no column text; its columns: none"),
        (FileFormat.CSV, b"review,label\ngood,1\n", "in: no column text; its columns: review, label"),
        (FileFormat.CSV, b"text;label\ngood;1\n", "in: no column text; its columns: text;label"),
        (FileFormat.CSV, b"text,text\na,b\n", "in: two columns have the same name: text, text"),
        (FileFormat.CSV, b"text\n", "in: contains no reviews"),
        (FileFormat.CSV, b'text,n\n"a\nb",1\nc\n', "in, line 4: 1 fields, the header has 2"),
        (FileFormat.CSV, b"text\na,b\n", "in, line 2: 2 fields, the header has 1"),
        (FileFormat.CSV, b'text\na\n"b\nc\n', "in, line 3: not CSV (unexpected end of data)"),
        (FileFormat.CSV, b'text\n"a"b\n', "in, line 2: not CSV (',' expected after '\"')"),
        (FileFormat.CSV, b"text\ngood\n\xff\xfe\n", "in, line 3: not UTF-8 (invalid start byte)"),
        (FileFormat.CSV, "text\ngood\n".encode("utf-16"), "in, line 1: not UTF-8 (invalid start byte)"),
        (FileFormat.JSONL, b'{"text": "a"}\n{"text"\n', "in, line 2: not JSON ("),
        (FileFormat.JSONL, b"[" * 100_000, "in, line 1: not JSON (maximum recursion depth"),
        (FileFormat.JSONL, b'"good"\n', 'in, line 1: should be an object with a string "text"'),
        (FileFormat.JSONL, b'{"review": "good"}\n', 'in, line 1: should be an object with a string "text"'),
        (FileFormat.JSONL, b'{"text": 3}\n', 'in, line 1: should be an object with a string "text"'),
        (FileFormat.JSONL, b"\n\n", "in: contains no reviews"),
        (FileFormat.TXT, b"good\n\x80\n", "in, line 2: not UTF-8 (invalid start byte)"),
        (FileFormat.TXT, b"", "in: contains no reviews"),
    ],
)
def test_invalid_content_is_an_error_in_one_line(file_format, content, message):
    with pytest.raises(UserError) as caught:
        rows(content, file_format)
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "chosen", "file_format"),
    [
        ("a.csv", None, FileFormat.CSV),
        ("a.b.JSONL", None, FileFormat.JSONL),
        ("a.txt", FileFormat.CSV, FileFormat.CSV),
        ("-", None, FileFormat.CSV),
        ("-", FileFormat.TXT, FileFormat.TXT),
        ("reviews", FileFormat.JSONL, FileFormat.JSONL),
    ],
)
def test_the_format_is_chosen_or_the_suffix(name, chosen, file_format):
    assert infer_format(name, chosen, "--from") is file_format


@pytest.mark.parametrize("name", ["reviews", "reviews.tsv", ".csv/reviews"])
def test_another_suffix_is_an_error(name):
    with pytest.raises(UserError, match=r"should end in \.csv, \.jsonl or \.txt, or choose the format with --to"):
        infer_format(name, None, "--to")


def test_csv_and_json_lines_are_written_with_the_prediction():
    pair = [Row(2, {"text": 'a "b",\nc', "n": "1"}), Row(3, {"text": "café", "n": ""})]
    again = io.StringIO(written(FileFormat.CSV, *pair), newline="")
    assert again.getvalue().startswith('text,n,label,probability\n"a ""b"",\nc",1,positive,0.987654\n')
    lines = written(FileFormat.JSONL, *pair).splitlines()
    prediction = {"label": "positive", "probability": 0.987654}
    assert [json.loads(line) for line in lines] == [row.fields | prediction for row in pair]
    assert "café" in lines[1]


def test_rows_with_different_fields_need_json_lines():
    pair = [Row(1, {"text": "a"}), Row(2, {"text": "b", "n": 1})]
    assert len(written(FileFormat.JSONL, *pair).splitlines()) == 2
    with pytest.raises(UserError, match=r"^line 2: its fields differ from the first row's: write JSON lines"):
        written(FileFormat.CSV, *pair)


def test_a_lone_surrogate_cannot_be_written():
    with pytest.raises(UserError, match=r"^line 7: contains a lone surrogate"):
        written(FileFormat.JSONL, Row(7, {"text": "good", "who": "\ud800"}))


class ConstantModel:
    """A model without memory of its own: reading and writing alone are measured."""

    def predict(self, texts):
        return [{"label": "positive", "probability": 0.5} for _ in texts.index]


def test_memory_does_not_grow_with_the_file(tmp_path):
    source, target = tmp_path / "reviews.csv", tmp_path / "predictions.csv"
    with source.open("w") as file:
        file.write("text\n")
        for _ in range(10_000):
            file.write("word " * 1_000 + "\n")
    tracemalloc.start()
    predict_file(ConstantModel(), str(source), FileFormat.CSV, target, FileFormat.CSV)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.stat().st_size > 50e6
    assert peak < 10e6
    assert target.read_bytes().count(b"\n") == 10_001
