"""The served model where this project is not installed, but what the model asks for is."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sentiment_rnn.inference.predictor import Predictor

TEXTS = ["a great film", "I hated every minute of it"]
# what the model's own requirements bring with them may be imported; of all else that stands here, nothing can be
ELSEWHERE = """
import importlib.abc, json, re, sys
from importlib.metadata import distribution, packages_distributions
from packaging.requirements import Requirement

model, texts = sys.argv[1], json.loads(sys.argv[2])

def needed(name, seen):
    key = re.sub(r"[-_.]+", "-", name).lower()
    if key in seen:
        return
    try:
        requires = distribution(name).requires or []
    except ImportError:
        return  # for another system than this one
    seen.add(key)
    for requirement in map(Requirement, requires):
        if requirement.marker is None or requirement.marker.evaluate({"extra": ""}):
            needed(requirement.name, seen)

there = set()
for line in open(f"{model}/requirements.txt").read().split():
    needed(Requirement(line).name, there)
hidden = {
    top
    for top, names in packages_distributions().items()
    if not any(re.sub(r"[-_.]+", "-", name).lower() in there for name in names)
}

class NotInstalled(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in hidden - {"sentiment_rnn"}:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)

from pathlib import Path
sys.path = [entry for entry in sys.path if not (Path(entry) / "sentiment_rnn").exists()]
sys.meta_path = [finder for finder in sys.meta_path if "editable" not in str(finder)]
sys.meta_path.insert(0, NotInstalled())
for name in ("sentiment_rnn", "pytorch_lightning", "optuna", "dvc", "datasets", "typer"):
    try:
        __import__(name)
        raise SystemExit(f"{name} is still there")
    except ModuleNotFoundError:
        pass

import mlflow
answers = mlflow.pyfunc.load_model(model).predict(texts)
tops = {name.split(".")[0] for name in sys.modules}
print(json.dumps([answers, sys.modules["sentiment_rnn"].__file__, sorted(tops & hidden - {"sentiment_rnn"})]))
"""


@pytest.fixture(scope="module")
def model(champion: Path) -> Path:
    """The folder of the registered version, among MLflow's artifacts."""
    (found,) = (champion / "mlruns" / "artifacts").rglob("MLmodel")
    return found.parent


def test_it_answers_the_same_with_nothing_but_its_own_requirements(model, champion, tokens, tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-c", ELSEWHERE, str(model), json.dumps(TEXTS)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    answers, code, imported = json.loads(done.stdout.splitlines()[-1])
    expected = Predictor(champion / "model", tokens / "tokenizer.json").positive(TEXTS)
    assert np.allclose([answer["probability"] for answer in answers], expected, rtol=0, atol=1e-6)
    assert code == str(model / "code" / "sentiment_rnn" / "__init__.py")
    assert imported == []


def test_its_requirements_are_few_and_exact(model):
    lines = (model / "requirements.txt").read_text().split()
    assert [line.split("==")[0] for line in lines] == ["mlflow", "numpy", "safetensors", "tokenizers", "torch"]


def test_it_holds_no_pickle(model):
    endings = {path.suffix for path in model.rglob("*") if path.is_file()}
    assert endings <= {"", ".j2", ".json", ".py", ".safetensors", ".txt", ".yaml", ".pyc"}
    assert "python_model" not in (model / "MLmodel").read_text()
