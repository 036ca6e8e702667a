"""The command lines of the stages."""

import argparse
import resource
import subprocess
import sys

import pytest
from conftest import ROOT

from pipeline import search

MODULES = sorted(path.stem for path in (ROOT / "pipeline").glob("*.py") if path.stem != "__init__")
HEAVY = {"torch", "pytorch_lightning", "mlflow", "optuna", "datasets", "sklearn", "matplotlib", "pandas"}


@pytest.mark.parametrize("module", MODULES)
def test_help_is_instant(module):
    def processor_seconds() -> float:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return used.ru_utime + used.ru_stime

    before = processor_seconds()
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", f"pipeline.{module}", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert processor_seconds() - before < 1
    assert done.returncode == 0
    assert done.stdout.startswith(f"usage: python -m pipeline.{module}")
    imported = {line.rsplit("|", 1)[1].strip().split(".")[0] for line in done.stderr.splitlines() if "|" in line}
    assert "sentiment_rnn" in imported
    assert not imported & HEAVY


def test_a_baseline_does_not_wait_for_torch():
    program = "import sys, sentiment_rnn.baselines.train, sentiment_rnn.baselines.predictions; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)
    assert not set(done.stdout.split()) & {"torch", "pytorch_lightning", "torchmetrics", "optuna", "matplotlib"}


@pytest.mark.parametrize("arguments", [[], ["bilstm", "gru"]])
@pytest.mark.parametrize("module", ["train", "baseline"])
def test_a_missing_or_a_second_name_is_a_usage_error(module, arguments):
    done = subprocess.run(
        [sys.executable, "-m", f"pipeline.{module}", *arguments], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith(f"usage: python -m pipeline.{module} [-h] NAME")


@pytest.mark.parametrize("text", ["-1", "0", "few", "1.5", ""])
def test_a_number_of_trials_is_above_0(text):
    with pytest.raises(argparse.ArgumentTypeError, match="above 0"):
        search.positive(text)
