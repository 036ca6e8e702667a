"""The registered model where only its own requirements are installed, and not this project."""

import http.client
import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
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


def test_the_steps_of_the_dockerfile_serve_it_in_an_environment_without_torch(model, champion, tokens, tmp_path):
    steps = dict(re.findall(r"^(COPY|RUN|CMD) (.*)$", Path("Dockerfile").read_text(), re.MULTILINE))
    assert steps["COPY"] == ". model"
    shutil.copytree(model, tmp_path / "model")
    subprocess.run([sys.executable, "-m", "venv", tmp_path / "venv"], check=True)
    inherited = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "MLFLOW", "VIRTUAL"))
    }
    environment = inherited | {"PATH": f"{tmp_path}/venv/bin:/usr/bin:/bin"}
    subprocess.run(["sh", "-c", f"{steps['RUN']} --no-compile -q"], cwd=tmp_path, env=environment, check=True)
    installed = subprocess.run(["pip", "list"], env=environment, capture_output=True, text=True, check=True).stdout
    assert "onnxruntime" in installed
    assert not {"torch", "mlflow", "sentiment-rnn"} & {line.split()[0] for line in installed.splitlines()}

    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [{"5001": str(port), "0.0.0.0": "127.0.0.1"}.get(word, word) for word in json.loads(steps["CMD"])]
    with subprocess.Popen(command, cwd=tmp_path, env=environment, stderr=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + 120
            while time.monotonic() < deadline:
                try:
                    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
                    connection.request(
                        "POST", "/invocations", json.dumps({"inputs": TEXTS}), {"Content-Type": "application/json"}
                    )
                    break
                except ConnectionRefusedError:
                    assert server.poll() is None, "the server has stopped"
                    time.sleep(0.2)
            predictions = json.loads(connection.getresponse().read())["predictions"]
        finally:
            server.terminate()
    expected = Predictor(champion / "model", tokens / "tokenizer.json").predict_probabilities(TEXTS)
    assert np.allclose([prediction["probability"] for prediction in predictions], expected, rtol=0, atol=1e-6)
