"""A stage that needs no torch does not wait for it: importing it is most of what a small stage would take."""

import subprocess
import sys

import pytest
from conftest import ROOT

LOADED = "import sys, pipeline.{stage}; print(*sys.modules)"


@pytest.mark.parametrize("stage", ["download", "tokenize", "linear"])
def test_a_stage_without_a_network_does_not_import_torch(stage):
    done = subprocess.run(
        [sys.executable, "-c", LOADED.format(stage=stage)], cwd=ROOT, capture_output=True, text=True, check=True
    )
    loaded = set(done.stdout.split())
    assert "sentiment_rnn.params" in loaded
    assert not loaded & {"torch", "pytorch_lightning", "torchmetrics", "optuna", "matplotlib"}
