"""What a stage is called with."""

import pytest

from pipeline import architecture_named
from sentiment_rnn.errors import UserError


def test_the_one_argument_is_the_name(monkeypatch):
    monkeypatch.setattr("sys.argv", ["pipeline/train.py", "bilstm"])
    assert architecture_named() == "bilstm"


@pytest.mark.parametrize("given", [[], ["--help"], ["bilstm", "gru"]])
@pytest.mark.parametrize(("stage", "kind"), [("train", "architecture"), ("linear", "linear rival")])
def test_anything_else_is_told_how_it_is_called(given, stage, kind, monkeypatch):
    monkeypatch.setattr("sys.argv", [f"pipeline/{stage}.py", *given])
    with pytest.raises(UserError, match=rf"name one {kind} of params.yaml: python -m pipeline.{stage} NAME"):
        architecture_named()
