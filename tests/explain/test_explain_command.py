"""`sentiment-rnn explain`: the champion, a version, a trained model; the text as typed; errors."""

import subprocess
from pathlib import Path

import pytest
from conftest import NAME, ROOT
from matplotlib import pyplot as plt

from sentiment_rnn import cli
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain.command import explain
from sentiment_rnn.tracking import registry

TEXT = "I expected nothing, [bold]but[/bold] <b>the film</b> isn't bad for $5 or $6"
PLOT = Path("work/explain.png")


@pytest.mark.parametrize(
    ("model", "version", "label"),
    [
        ("champion", "1", f"{NAME} version 1, the champion"),
        ("1", "1", f"{NAME} version 1"),
        ("gru", None, "models/family/gru/seed-7, not calibrated"),
    ],
)
def test_the_last_probability_is_the_served_one_and_the_plot_is_written(model, version, label, in_champion, capsys):
    PLOT.unlink(missing_ok=True)
    explain(TEXT, model, PLOT)
    lines = capsys.readouterr().out.splitlines()
    assert label in lines
    words = [line.split()[0] for line in lines[1 : lines.index(label) - 1]]
    assert words[4:8] == ["[", "bold", "]", "but"]
    assert words[-1] == "6"
    if version:
        probability = registry.load(NAME, version).predict([TEXT])[0]["probability"]
        assert lines[len(words)].split()[-1] == f"{probability:.3f}"
    height, width, _ = plt.imread(PLOT).shape
    assert min(height, width) > 400
    assert lines[-1] == f"plot: {PLOT}"


@pytest.mark.parametrize(
    ("text", "model", "out", "message"),
    [
        (
            "good",
            "99",
            PLOT,
            rf"the weights of version 99 of {NAME} cannot be read from sqlite:.*: choose another version",
        ),
        ("good", "nothing", PLOT, r"no model 'nothing': choose champion, a version number of .* or one of rnn, "),
        ("good", "../..", PLOT, r"no model '\.\./\.\.'"),
        ("good", "bigru", PLOT, r"bigru is not trained yet: `dvc repro train@bigru`"),
        ("good", "best", PLOT, r"best is not trained yet: `dvc repro train_best`"),
        ("", "gru", PLOT, r"the text has no words: `sentiment-rnn explain "),
        ("good", "gru", Path("plot.txt"), r"plot.txt: the plot's name should end in .png"),
        ("good", "gru", Path("params.yaml/plot.png"), r"params.yaml/plot.png cannot be written"),
    ],
)
def test_an_error_is_one_line_and_writes_nothing(text, model, out, message, in_champion):
    PLOT.unlink(missing_ok=True)
    with pytest.raises(UserError, match=f"^{message}") as raised:
        explain(text, model, out)
    assert "\n" not in str(raised.value)
    assert not PLOT.exists()


def test_the_text_may_look_like_an_option(in_champion, monkeypatch, capsys):
    options = ["--model", "gru", "--out", "work/a.png"]
    monkeypatch.setattr("sys.argv", ["sentiment-rnn", "explain", *options, "--", "-1 of 10"])
    with pytest.raises(SystemExit) as exit:
        cli.main()
    assert not exit.value.code
    assert capsys.readouterr().out.endswith("plot: work/a.png\n")
    assert Path("work/a.png").is_file()


@pytest.mark.parametrize(
    "text", ['it\'s "good" for $5 \\ 100% #1', "$(shell touch hacked) `touch hacked` $HOME", "-1", ""]
)
def test_make_passes_the_text_unchanged(text, tmp_path):
    stub = tmp_path / "bin/sentiment-rnn"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\nfor argument in "$@"; do printf "%s\\n" "$argument"; done\n')
    stub.chmod(0o755)
    (tmp_path / "bin/.installed").touch()
    command = ["make", "-s", "-f", ROOT / "Makefile", "-o", "bin/.installed", "BIN=bin"]
    arguments = ["explain", f"TEXT={text}", "MODEL=gru", "OUT=a.png"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)
    expected = ["explain", "--model", "gru", "--out", "a.png", "--", text]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")
    assert not list(Path(tmp_path).glob("hacked*"))
