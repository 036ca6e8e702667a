"""What a stage is called with."""

import argparse

import pytest

from pipeline import architecture_named, search
from sentiment_rnn.errors import UserError


def test_the_one_argument_is_the_name(monkeypatch):
    monkeypatch.setattr("sys.argv", ["pipeline/train.py", "bilstm"])
    assert architecture_named() == "bilstm"


@pytest.mark.parametrize("given", [[], ["--help"], ["bilstm", "gru"]])
@pytest.mark.parametrize(("stage", "kind"), [("train", "architecture"), ("linear", "linear baseline")])
def test_anything_else_is_told_how_it_is_called(given, stage, kind, monkeypatch):
    monkeypatch.setattr("sys.argv", [f"pipeline/{stage}.py", *given])
    with pytest.raises(UserError, match=rf"name one {kind} of params.yaml: python -m pipeline.{stage} NAME"):
        architecture_named()


@pytest.mark.parametrize("text", ["-1", "0", "few", "1.5", ""])
def test_a_number_of_trials_is_above_0(text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        search.count(text)
