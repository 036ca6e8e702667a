"""The registered model where only its own requirements are installed, and not this project."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sentiment_rnn.inference.predictor import Predictor

TEXTS = ["a great film", "I hated every minute of it"]
# imports are limited to the requirements of the model and to theirs
STANDALONE = """
import importlib.abc, json, re, sys
from importlib.metadata import distribution, packages_distributions
from packaging.requirements import Requirement

model, texts = sys.argv[1], json.loads(sys.argv[2])

def add_requirements(name, seen):
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    try:
        requires = distribution(name).requires or []
    except ImportError:
        return  # not for this platform
    seen.add(key)
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            add_requirements(requirement.name, seen)

required = set()
for line in open(f"{model}/requirements.txt").read().split():
    add_requirements(Requirement(line).name, required)
hidden = {
    top
    for top, names in packages_distributions().items()
    if not any(re.sub(r"[-_.]+", "-", name).lower() in required for name in names)
}

class NotInstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

from pathlib import Path
sys.path = [entry for entry in sys.path if not (Path(entry) / "sentiment_rnn").exists()]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]
sys.meta_path.insert(0, NotInstalled())
for name in ("sentiment_rnn", "torch", "pytorch_lightning", "optuna", "dvc", "datasets", "typer"):
    try:
        __import__(name)
        raise SystemExit(f"{name} can still be imported")
    except ModuleNotFoundError:
        pass

import mlflow
predictions = mlflow.pyfunc.load_model(model).predict(texts)
tops = {name.split(".")[0] for name in sys.modules}
print(json.dumps([predictions, sorted(tops & hidden - {"_distutils_hack"})]))
"""


@pytest.fixture(scope="module")
def model(champion: Path) -> Path:
    """The folder of the registered version, among MLflow's artifacts."""
    (found,) = (champion / "mlruns" / "artifacts").rglob("MLmodel")
    return found.parent


def test_it_predicts_the_same_with_its_own_requirements_only(model, champion, tokens, tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-c", STANDALONE, str(model), json.dumps(TEXTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    predictions, imported = json.loads(done.stdout.splitlines()[-1])
    expected = Predictor(champion / "model", tokens / "tokenizer.json").predict_probabilities(TEXTS)
    assert np.allclose([prediction["probability"] for prediction in predictions], expected, rtol=0, atol=1e-6)
    assert imported == []


def test_its_requirements_are_few_and_exact(model):
    lines = (model / "requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in lines] == ["mlflow", "numpy", "onnxruntime", "tokenizers"]


def test_it_contains_no_pickle(model):
    endings = {path.suffix for path in model.rglob("*") if path.is_file()}
    assert endings <= {"", ".j2", ".json", ".onnx", ".py", ".txt", ".yaml", ".pyc"}
    assert "python_model" not in (model / "MLmodel").read_text()
