"""The command `sentiment-rnn`: predictions for texts, files and streams, promotion, help, errors in one line."""

import csv
import gzip
import json
import os
import re
import shutil
import subprocess
import sys
import threading
from importlib.metadata import version
from pathlib import Path

import numpy as np
import pytest
from conftest import NAME, ROOT, shrunk_values, write_params
from project import succeed

from sentiment_rnn import cli
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.serving import predict
from sentiment_rnn.tracking.registry import champion as find_champion
from sentiment_rnn.tracking.store import connect

TEXTS = ["a great film", "I hated every minute of it", 'so "good",\nreally', "word " * 300]


@pytest.fixture(scope="module")
def expected(champion, tokens):
    return Predictor(champion / "model", tokens / "tokenizer.json").predict_probabilities(TEXTS)


@pytest.fixture
def command(in_champion, monkeypatch, capsys):
    """Runs `sentiment-rnn` in this process: its exit status, standard output and standard error."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["sentiment-rnn", *arguments])
        with pytest.raises(SystemExit) as exit:
            cli.main()
        printed, code = capsys.readouterr(), exit.value.code
        if isinstance(code, str):  # Python prints it to stderr
            return 1, printed.out, f"{printed.err}{code}\n"
        return code or 0, printed.out, printed.err

    return run


@pytest.fixture
def reviews(tmp_path) -> Path:
    with (tmp_path / "reviews.csv").open("w", newline="") as file:
        csv.writer(file).writerows([["id", "text"], *enumerate(TEXTS)])
    return tmp_path / "reviews.csv"


def label(probability: float) -> str:
    return "positive" if probability >= 0.5 else "negative"


def test_predict_prints_label_and_probability_of_a_text(command, expected):
    assert np.ptp(expected) > 0.05, "the probabilities must differ, or the comparison shows nothing"
    for text, probability in zip(TEXTS[:2], expected, strict=False):
        assert command("predict", text) == (0, f"{label(probability)} {probability:.4f}\n", "")


def test_predict_adds_two_columns_to_a_csv_file(command, expected, reviews, tmp_path):
    predictions = tmp_path / "predictions.csv"
    status, out, err = command("predict", "--file", str(reviews), "--output", str(predictions))
    assert (status, out) == (0, "")
    assert "reviews.csv" in err, "a progress bar"
    with predictions.open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert [list(row) for row in rows] == [["id", "text", "label", "probability"]] * len(TEXTS)
    assert [(row["id"], row["text"]) for row in rows] == [(str(number), text) for number, text in enumerate(TEXTS)]
    assert np.allclose([float(row["probability"]) for row in rows], expected, rtol=0, atol=1e-6)
    assert [row["label"] for row in rows] == [label(probability) for probability in expected]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv", "reviews.csv"]


def test_predict_writes_json_lines_to_standard_output(command, expected, tmp_path):
    file = tmp_path / "reviews.jsonl"
    file.write_text("".join(json.dumps({"text": text, "n": [number]}) + "\n" for number, text in enumerate(TEXTS)))
    status, out, _ = command("predict", "--file", str(file), "--to", "jsonl")
    rows = [json.loads(line) for line in out.splitlines()]
    assert status == 0
    assert [row["n"] for row in rows] == [[0], [1], [2], [3]]
    assert np.allclose([row["probability"] for row in rows], expected, rtol=0, atol=1e-6)


def test_a_file_may_be_replaced_by_its_own_predictions(command, reviews):
    assert command("predict", "--file", str(reviews), "--output", str(reviews))[0] == 0
    assert reviews.read_text().startswith("id,text,label,probability\n0,a great film,")


def test_a_compressed_file_and_a_pipe_are_read(command, expected, reviews, tmp_path):
    compressed, pipe = tmp_path / "reviews.CSV.gz", tmp_path / "pipe"
    compressed.write_bytes(gzip.compress(reviews.read_bytes()))
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_bytes(reviews.read_bytes()))
    writer.start()
    for arguments in (["--file", str(compressed)], ["--file", str(pipe), "--from", "csv"]):
        status, out, _ = command("predict", *arguments)
        rows = list(csv.DictReader(out.splitlines()))
        assert status == 0
        assert np.allclose([float(row["probability"]) for row in rows], expected, rtol=0, atol=1e-6)
    writer.join()
    compressed.write_bytes(compressed.read_bytes()[:-12])
    status, _, err = command("predict", "--file", str(compressed))
    assert status == 1
    assert err.splitlines()[-1].startswith(f"error: {compressed}: not a complete gzip file")


def test_words_that_mean_missing_elsewhere_are_texts(command, tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text("text\nNA\nnull\nnan\n", encoding="utf-8")
    status, out, _ = command("predict", "--file", str(file))
    assert (status, [row["text"] for row in csv.DictReader(out.splitlines())]) == (0, ["NA", "null", "nan"])


def test_an_error_in_a_row_names_its_line_and_leaves_the_output_as_it_was(command, tmp_path):
    reviews, predictions = tmp_path / "reviews.jsonl", tmp_path / "predictions.csv"
    texts = ["two lines"] * 300 + ["\ud800"] + ["good"] * 10  # in the second chunk
    reviews.write_text("".join(json.dumps({"text": text}) + "\n" for text in texts))
    predictions.write_text("from an earlier run")
    status, out, err = command("predict", "--file", str(reviews), "--output", str(predictions))
    assert (status, out) == (1, "")
    assert err.splitlines()[-1].startswith(f"error: {reviews}, line 301: the review has a lone surrogate")
    assert predictions.read_text() == "from an earlier run"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["predictions.csv", "reviews.jsonl"]


def test_a_review_without_known_words_has_the_prior_and_says_so(command):
    for text in ("", "<br />", "zyzzyva"):
        status, out, err = command("predict", text)
        assert (status, out) == (0, "positive 0.5000\n")
        assert err.startswith("none of its words is known")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["predict"], "give a review or --file"),
        (["predict", "good", "--file", "a.csv"], "give a review or --file"),
        (["predict", "good", "--to", "csv"], "--output, --from and --to need --file"),
        (["predict", "--file", "a.csv", "--to", "txt"], "predictions are written as .csv or .jsonl"),
        (["predict", "--file", "a.csv", "--output", "b.txt"], "predictions are written as .csv or .jsonl"),
        (["predict", "--file", "a.csv", "--output", "b.parquet"], "b.parquet: the name should end in"),
        (["predict", "--file", "a.csv", "--output", "b.csv.gz"], "b.csv.gz: the name should end in"),
        (["predict", "--file", ".", "--from", "csv"], ".: a folder: give a file of reviews"),
        (["predict", "--file", "a.tsv"], "a.tsv: the name should end in"),
        (["predict", "--file", "nosuch.csv"], "nosuch.csv: no such file"),
        (["predict", "--form", "csv"], "No such option: --form"),
        (["predict", "--from", "tsv"], "Invalid value for '--from'"),
        (["predict", "\ud800"], "the review has a lone surrogate"),
        (["explain"], "Missing argument"),
        (["explain", " "], "the text has no words"),
        (["serve", "--port", "70000"], "Invalid value for '--port'"),
        (["rollback"], f"{NAME} version 1 is the champion, and no previous champion is left"),
        (["promote", "1"], f"{NAME} version 1 is the champion already"),
        (["promote", "7"], f"{NAME} has no version 7; its versions: 1"),
        (["inspect"], "No such command 'inspect'"),
    ],
)
def test_an_error_is_one_line_and_status_1(command, arguments, message):
    status, out, err = command(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"error: {message}")


def test_an_output_that_cannot_be_written_is_an_error(command, reviews, tmp_path):
    (tmp_path / "folder.csv").mkdir()
    status, _, err = command("predict", "--file", str(reviews), "--output", str(tmp_path / "folder.csv"))
    assert (status, err.splitlines()[-1]) == (
        1, f"error: {tmp_path / 'folder.csv'} cannot be written: Is a directory",
    )  # fmt: skip


@pytest.mark.parametrize(
    "arguments", [["predict", "good"], ["explain", "good"], ["rollback"], ["promote", "1"], ["serve", "--port", "0"]]
)
def test_without_a_store_or_a_champion_the_error_names_the_cure(arguments, command, tmp_path, monkeypatch, empty_store):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    assert re.fullmatch(r"error: params\.yaml: .*project.*\n", command(*arguments)[2])
    write_params(shrunk_values(), tmp_path)
    status, out, err = command(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert "mlruns/mlflow.db" in err
    assert "`sentiment-rnn run evaluate`" in err
    assert not (tmp_path / "mlruns").exists(), "reading creates no database"
    shutil.copytree(empty_store, tmp_path / "mlruns")
    status, out, err = command(*arguments)
    assert (status, out, err.count("\n")) == (1, "", 1)
    assert err.startswith(f"error: {NAME} has no {'version 1' if arguments[0] == 'promote' else 'champion'}")


def test_exported_files_predict_the_same_without_mlflow(command, expected, tmp_path):
    folder = tmp_path / "out/model"
    status, out, _ = command("export", str(folder))
    assert status == 0
    assert {file.name for file in folder.iterdir()} == {
        "model.onnx", "tokenizer.json", "pyfunc_model.py", "requirements.txt",
    }  # fmt: skip
    packages = [line.split("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()]
    assert packages == ["numpy", "onnxruntime", "tokenizers"]
    printed = out[out.index("python -c") :].strip()
    assert "'label': '" in succeed(folder, "bash", "-c", printed)
    code = (
        "import json, sys; from pyfunc_model import Sentiment; assert 'mlflow' not in sys.modules; "
        "print(json.dumps(Sentiment('model.onnx', 'tokenizer.json').predict(json.loads(sys.argv[1]))))"
    )
    answers = json.loads(succeed(folder, sys.executable, "-c", code, json.dumps(TEXTS)))
    assert [answer["probability"] for answer in answers] == pytest.approx(list(expected), abs=1e-5)

    status, _, err = command("export", str(folder))
    assert (status, err) == (1, f"error: {folder} exists and is not empty: name another folder\n")
    status, _, err = command("export", str(tmp_path / "other"), "--version", "99")
    assert status == 1
    assert err.startswith(f"error: version 99 of {NAME} cannot be loaded")
    assert not (tmp_path / "other").exists()


def test_promote_and_rollback_move_the_alias_and_record_the_reason(champion, command):
    client = connect()
    source = client.get_model_version(NAME, "1").source
    second = str(client.create_model_version(NAME, source).version)
    for arguments, now, before, reason in (
        (["promote", second], second, "1", "promoted by hand: no reason given"),
        (["rollback", "--reason", "it shouts"], "1", second, "rolled back: it shouts"),
        (["promote", second, "--reason", "it is quiet"], second, "1", "promoted by hand: it is quiet"),
        (["rollback"], "1", second, "rolled back: no reason given"),
    ):
        status, out, _ = command(*arguments)
        assert status == 0
        assert out.endswith(f"version {now} replaced version {before}: {reason}\n")
        assert str(find_champion(client, NAME).version) == now
    client.delete_model_version(NAME, second)


def test_predictions_are_streamed_and_a_closed_pipe_is_silent(in_champion):
    process = subprocess.Popen(
        [sys.executable, "-m", "sentiment_rnn.cli", "predict", "--file", "-"],
        cwd=in_champion,
        env=os.environ | {"PYTHONPATH": f"{ROOT / 'src'}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    rows = "".join(f"{number},a great film\n" for number in range(predict.CHUNK_SIZE)).encode()
    process.stdin.write(b"id,text\n" + rows)
    process.stdin.flush()
    assert process.stdout.readline() == b"id,text,label,probability\n"
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


@pytest.mark.parametrize("arguments", [[], ["--help"]])
def test_help_fits_80_columns_with_no_summary_cut(command, arguments, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    status, out, _ = command(*arguments)
    assert status == 0
    assert max(map(len, out.splitlines())) <= 80
    assert "..." not in out.split("Commands:")[1]
    commands = {line.split()[0] for line in out.split("Commands:\n")[1].splitlines() if line}
    assert {"predict", "explain", "serve", "ui", "promote", "rollback"} <= commands
    assert "--install-completion" in out


def test_version(command):
    assert command("--version") == (0, f"sentiment-rnn {version('sentiment-rnn')}\n", "")


def test_the_shell_completes_commands():
    environment = os.environ | {
        "PYTHONPATH": f"{ROOT / 'src'}",
        "_SENTIMENT_RNN_COMPLETE": "complete_bash",
        "COMP_WORDS": "sentiment-rnn pro",
        "COMP_CWORD": "1",
    }
    script = "from sentiment_rnn import cli; cli.app(prog_name='sentiment-rnn')"
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=False)
    assert done.stdout.split() == ["promote"]


def test_help_imports_neither_torch_nor_mlflow():
    script = (
        "import sys; from sentiment_rnn import cli; print(sorted({'torch', 'mlflow', 'pydantic'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout == "[]\n"
