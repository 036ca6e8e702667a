"""`sentiment-rnn predict`: a text, a file, a stream; the champion's own answers; mistakes in one line."""

import csv
import json
import os
import shutil
import subprocess
import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, shrunk_values, write_params

from sentiment_rnn import cli
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.serving import predict
from sentiment_rnn.serving.files import Kind

TEXTS = ["a great film", "I hated every minute of it", 'so "good",\nsaid nobody', "word " * 300]


@pytest.fixture(scope="module")
def expected(champion, tokens):
    return Predictor(champion / "model", tokens / "tokenizer.json").positive(TEXTS)


@pytest.fixture
def command(in_champion, monkeypatch, capsys):
    """Runs `sentiment-rnn`; gives its exit status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sentiment-rnn", *arguments])
        with pytest.raises(SystemExit) as done:
            cli.main()
        said = capsys.readouterr()
        return done.value.code or 0, said.out, said.err

    return run


@pytest.fixture
def reviews(tmp_path) -> Path:
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerows([["id", "text"], *enumerate(TEXTS)])
    return tmp_path / "reviews.csv"


def label(probability: float) -> str:
    return "positive" if probability >= 0.5 else "negative"


def test_a_text_is_answered_in_a_line(command, expected):
    assert np.ptp(expected) > 0.05, "the texts must differ for the comparison to mean something"
    for text, probability in zip(TEXTS[:2], expected, strict=False):
        assert command("predict", text) == (0, f"{label(probability)} {probability:.4f}\n", "")


def test_a_table_comes_back_with_two_columns_more(command, expected, reviews, tmp_path):
    answers = tmp_path / "answers.csv"
    status, out, err = command("predict", "--file", str(reviews), "--output", str(answers))
    assert (status, out) == (0, "")
    assert "reviews.csv" in err, "a progress bar"
    with answers.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [["id", "text", "predicted", "probability"]] * len(TEXTS)
    assert [(row["id"], row["text"]) for row in rows] == [(str(number), text) for number, text in enumerate(TEXTS)]
    assert np.allclose([float(row["probability"]) for row in rows], expected, rtol=0, atol=1e-6)
    assert [row["predicted"] for row in rows] == [label(probability) for probability in expected]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "reviews.csv"]


def test_json_lines_go_to_standard_output(command, expected, tmp_path):
    file = tmp_path / "reviews.jsonl"
    file.write_text("".join(json.dumps({"text": text, "n": [number]}) + "\n" for number, text in enumerate(TEXTS)))
    status, out, _ = command("predict", "--file", str(file), "--to", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [row["n"] for row in rows] == [[0], [1], [2], [3]]
    assert np.allclose([row["probability"] for row in rows], expected, rtol=0, atol=1e-6)


def test_a_review_a_line_becomes_a_table(command, tmp_path):
    file = tmp_path / "reviews.txt"
    file.write_text("good\nbad, really\n")
    status, out, _ = command("predict", "--file", str(file))
    assert status == 0
    assert [row[:1] for row in csv.reader(out.splitlines())] == [["text"], ["good"], ["bad, really"]]


def test_a_file_may_take_its_own_place(command, reviews):
    assert command("predict", "--file", str(reviews), "--output", str(reviews))[0] == 0
    assert reviews.read_text().startswith("id,text,predicted,probability\n0,a great film,")


@pytest.mark.parametrize("blank", ["", " ", "<br />"])
def test_a_row_without_words_is_told_by_its_line_and_nothing_is_written(command, tmp_path, blank):
    reviews, answers = tmp_path / "reviews.csv", tmp_path / "answers.csv"
    rows = ['"two\nlines"'] * 300 + [f'"{blank}"'] + ["good"] * 10  # the first chunk is written by then
    reviews.write_text("text\n" + "\n".join(rows) + "\n")
    answers.write_text("what was there before")
    status, out, err = command("predict", "--file", str(reviews), "--output", str(answers))
    assert (status, out) == (1, "")
    assert err.splitlines()[-1] == f"error: {reviews}, line 602: the review has no words: there is nothing to judge"
    assert answers.read_text() == "what was there before"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["answers.csv", "reviews.csv"]


@pytest.mark.parametrize(
    ("arguments", "status", "said"),
    [
        (["predict"], 2, "a review, or --file"),
        (["predict", "good", "--file", "a.csv"], 2, "a review, or --file"),
        (["predict", "good", "--to", "csv"], 2, "belong to --file"),
        (["predict", "--file", "a.csv", "--to", "txt"], 2, "what is written is .csv or .jsonl"),
        (["predict", "--file", "a.csv", "--output", "b.txt"], 2, "what is written is .csv or .jsonl"),
        (["predict", "--file", "a.csv", "--output", "b.parquet"], 1, "error: b.parquet: a file's name ends in"),
        (["predict", "--file", "nosuch.csv"], 1, "error: nosuch.csv: no such file"),
        (["predict", ""], 1, "error: the review has no words: there is nothing to judge"),
        (["predict", "\ud800"], 1, "error: the review has half a character"),
        (["serve", "--port", "x"], 2, "'--port'"),
        (
            ["rollback"],
            1,
            "error: imdb-bilstm version 1 is the champion, and no version that was one before it is left",
        ),
    ],
)
def test_a_mistake_is_told_without_a_traceback(command, arguments, status, said):
    got, out, err = command(*arguments)
    assert (got, out) == (status, "")
    assert said in err
    assert "Traceback" not in err


def test_an_output_that_cannot_be_written_is_told(command, reviews, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    status, _, err = command("predict", "--file", str(reviews), "--output", str(tmp_path / "folder.csv"))
    assert (status, err.splitlines()[-1]) == (1, f"error: {tmp_path / 'folder.csv'}: Is a directory")


@pytest.mark.parametrize("arguments", [["predict", "good"], ["rollback"], ["serve", "--port", "0"]])
def test_without_a_store_or_a_champion_the_cure_is_named(arguments, command, tmp_path, monkeypatch, empty_store):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    assert command(*arguments)[2] == "error: params.yaml: No such file or directory; run from the project's root\n"
    write_params(shrunk_values(), tmp_path)
    status, out, err = command(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: there is no {tmp_path}/mlruns/mlflow.db: `make run` makes it")
    assert not (tmp_path / "mlruns").exists(), "asking makes no database"
    shutil.copytree(empty_store, tmp_path / "mlruns")
    status, out, err = command(*arguments)
    assert (status, out) == (1, "")
    assert err.startswith(f"error: imdb-bilstm has no champion in sqlite:///{tmp_path}/mlruns/mlflow.db: `make run`")


class Constant:
    """A model that holds nothing: what is measured is the reading and writing."""

    def predict(self, texts):
        return [{"label": "positive", "probability": 0.5} for _ in texts]


def test_ten_thousand_rows_are_never_in_memory_together(tmp_path):
    source = tmp_path / "reviews.csv"
    with source.open("w") as file:
        file.write("text\n")
        for _ in range(10_000):
            file.write("word " * 1_000 + "\n")
    tracemalloc.start()
    predict.many(Constant(), str(source), Kind.CSV, tmp_path / "answers.csv", Kind.CSV)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert source.stat().st_size > 50e6
    assert peak < 10e6
    assert (tmp_path / "answers.csv").read_bytes().count(b"\n") == 10_001


def test_answers_come_before_the_questions_end_and_a_reader_that_leaves_is_no_error(in_champion):
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_rnn.cli", "predict", "--file", "-"],
        cwd=in_champion,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    rows = "".join(f"{number},a great film\n" for number in range(predict.CHUNK)).encode()
    process.stdin.write(b"id,text\n" + rows)
    process.stdin.flush()
    assert process.stdout.readline() == b"id,text,predicted,probability\n"
    assert [process.stdout.readline().split(b",")[0] for _ in range(3)] == [b"0", b"1", b"2"]
    process.stdout.close()
    try:
        for _ in range(40):
            process.stdin.write(rows)
        process.stdin.close()
    except BrokenPipeError:
        pass
    process.stdin = None
    _, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert b"Traceback" not in err
    assert b"rror" not in err


def test_help_comes_at_once():
    """Neither torch nor MLflow is imported for it."""
    script = (
        "import sys; from sentiment_rnn import cli; print(sorted({'torch', 'mlflow', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
