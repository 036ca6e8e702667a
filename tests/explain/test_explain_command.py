"""The command: the champion from a real registry, a version, a trained seed; the text as it was typed; mistakes."""

import re
import subprocess
from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params
from matplotlib import pyplot as plt

from sentiment_rnn import cli
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain.show import show
from sentiment_rnn.tracking import registry

TEXT = "I expected nothing, [bold]but[/bold] <b>the film</b> isn't bad for $5 or $6"
PICTURE = Path("work/inspect.png")


@pytest.mark.parametrize(
    ("named", "version", "said"),
    [
        ("champion", "1", "imdb-bilstm version 1, the champion"),
        ("1", "1", "imdb-bilstm version 1"),
        ("gru", None, "models/gru/seed-7, not calibrated"),
    ],
)
def test_the_table_ends_in_the_served_answer_and_the_picture_is_written(named, version, said, in_champion, capsys):
    PICTURE.unlink(missing_ok=True)
    show(TEXT, named, PICTURE)
    lines = capsys.readouterr().out.splitlines()
    assert said in lines
    words = [line.split()[0] for line in lines[1 : lines.index(said) - 1]]
    assert words[4:8] == ["[", "bold", "]", "but"]
    assert words[-1] == "6"
    if version:
        answer = registry.load("imdb-bilstm", version).predict([TEXT])[0]["probability"]
        assert lines[len(words)].split()[-1] == f"{answer:.3f}"
    height, width, _ = plt.imread(PICTURE).shape
    assert min(height, width) > 400
    assert lines[-1] == f"picture: {PICTURE}"


@pytest.mark.parametrize(
    ("text", "named", "out", "line"),
    [
        (
            "good",
            "99",
            PICTURE,
            r"version 99 of imdb-bilstm cannot be read from sqlite:.*MODEL=champion, or the number",
        ),
        ("good", "nothing", PICTURE, r"no model is called 'nothing': champion, a version .* or one of rnn, "),
        ("good", "../..", PICTURE, r"no model is called '../..'"),
        ("good", "bigru", PICTURE, r"bigru is not trained yet: dvc repro train@bigru"),
        ("", "gru", PICTURE, r"the text has no words: make inspect TEXT="),
        ("good", "gru", Path("picture.txt"), r"picture.txt is no name of a picture"),
        ("good", "gru", Path("params.yaml/picture.png"), r"params.yaml/picture.png cannot be written"),
    ],
)
def test_a_mistake_is_one_line_and_writes_nothing(text, named, out, line, in_champion):
    PICTURE.unlink(missing_ok=True)
    with pytest.raises(UserError, match=f"^{line}") as raised:
        show(text, named, out)
    assert "\n" not in str(raised.value)
    assert not PICTURE.exists()


def test_without_a_champion_it_says_what_makes_one(client, tmp_path):
    write_params(shrunk_values(), tmp_path)
    with pytest.raises(UserError, match=r"^imdb-bilstm has no champion in sqlite:.*: `make run` trains"):
        show(TEXT, "champion", PICTURE)


def test_the_command_takes_a_text_that_looks_like_an_option(in_champion, monkeypatch, capsys):
    arguments = ["sentiment-rnn", "inspect", "--model", "gru", "--out", "work/a.png", "--"]
    monkeypatch.setattr("sys.argv", [*arguments, "-1 of 10"])
    with pytest.raises(SystemExit, match=r"^0$"):
        cli.main()
    assert capsys.readouterr().out.endswith("picture: work/a.png\n")
    assert Path("work/a.png").is_file()
    monkeypatch.setattr("sys.argv", [*arguments, " "])
    with pytest.raises(SystemExit, match=r"^1$"):
        cli.main()
    assert re.fullmatch(r"error: the text has no words: .*\n", capsys.readouterr().err)


@pytest.mark.parametrize(
    "text", ['it\'s "good" for $5 \\ 100% #1', "$(shell touch hacked) `touch hacked` $HOME", "-1", ""]
)
def test_make_hands_the_text_on_as_it_was_typed(text, tmp_path):
    stub = tmp_path / "bin/sentiment-rnn"
    stub.parent.mkdir()
    stub.write_text('#!/bin/sh\nfor given in "$@"; do printf "%s\\n" "$given"; done\n')
    stub.chmod(0o755)
    (tmp_path / "bin/.installed").touch()
    command = ["make", "-s", "-f", ROOT / "Makefile", "-o", "bin/.installed", "BIN=bin"]
    arguments = ["inspect", f"TEXT={text}", "MODEL=gru", "OUT=a.png"]
    done = subprocess.run([*command, *arguments], cwd=tmp_path, capture_output=True, text=True)
    expected = ["inspect", "--model", "gru", "--out", "a.png", "--", text]
    assert (done.stdout.splitlines(), done.stderr) == (expected, "")
    assert not list(Path(tmp_path).glob("hacked*"))
