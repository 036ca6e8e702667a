"""The statements of docs/security.md: no unpickling, no writing outside the project, servers on loopback only."""

import ast
import os
import pickle
import re
import tomllib
from importlib import import_module
from inspect import signature
from pathlib import Path

import pytest
import torch
from conftest import ROOT, shrunk_values, write_params
from cures import run_cure

from sentiment_rnn import cli, params
from sentiment_rnn.baselines import model as baseline
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import serialization
from sentiment_rnn.models import Classifier
from sentiment_rnn.serving.sockets import HOST
from sentiment_rnn.training.fit import fit

UNPICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve", "skops"}
PARAMS = params.Params.model_validate(shrunk_values())
BILSTM = PARAMS.model_of("bilstm")


def unsafe_calls(source: str) -> list[str]:
    """Lines that could unpickle a file."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import | ast.ImportFrom):
            names = [node.module or ""] if isinstance(node, ast.ImportFrom) else [name.name for name in node.names]
            found += [f"{node.lineno}: import {name}" for name in names if name.split(".")[0] in UNPICKLES]
        if isinstance(node, ast.Call):
            called, keywords = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
            lightning = called.endswith("load_from_checkpoint") or "ckpt_path" in keywords
            if (called == "torch.load" or lightning) and keywords.get("weights_only") != "True":
                found.append(f"{node.lineno}: {called} without weights_only=True")
            if keywords.get("allow_pickle", "False") != "False":
                found.append(f"{node.lineno}: {called} with allow_pickle")
            # MLflow's flavors that contain a pickle, and gensim's own files
            if re.search(r"(mlflow\.(pytorch|sklearn)\.load_model|(Word2Vec|KeyedVectors)\.load)$", called):
                found.append(f"{node.lineno}: {called}")
    return found


@pytest.mark.parametrize(
    "source",
    [
        "import pickle",
        "from joblib import load",
        "import torch\ntorch.load('x')",
        "torch.load('x', weights_only=False)",
        "Module.load_from_checkpoint('x')",
        "trainer.fit(module, ckpt_path='x')",
        "np.load('x', allow_pickle=True)",
        "mlflow.sklearn.load_model('x')",
        "gensim.models.KeyedVectors.load('x')",
    ],
)
def test_unsafe_calls_are_found(source):
    assert len(unsafe_calls(source)) == 1


def test_the_project_has_no_unsafe_call():
    files = [path for folder in ("src", "pipeline", "benchmarks") for path in (ROOT / folder).rglob("*.py")]
    assert len(files) > 100
    found = {str(path.relative_to(ROOT)): unsafe_calls(path.read_text()) for path in files}
    assert {path: lines for path, lines in found.items() if lines} == {}


class Malicious:
    """An object that creates a folder when it is unpickled."""

    def __init__(self, mark: Path) -> None:
        self.mark = mark

    def __reduce__(self):
        return (os.mkdir, (str(self.mark),))


@pytest.fixture(params=["pickle", "torch"])
def malicious(request, tmp_path):
    """A function that writes a malicious file; the folder `mark` exists after it was unpickled."""
    mark = tmp_path / "mark"

    def plant(path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        if request.param == "torch":
            torch.save({"state_dict": Malicious(mark)}, path)
        else:
            path.write_bytes(pickle.dumps(Malicious(mark)))

    plant(tmp_path / "trap")
    if request.param == "torch":
        torch.load(tmp_path / "trap", weights_only=False)
    else:
        pickle.loads((tmp_path / "trap").read_bytes())
    assert mark.is_dir(), "unpickling must create the folder, or the tests show nothing"
    mark.rmdir()
    yield plant
    assert not mark.exists()


def test_malicious_weights_are_not_unpickled(malicious, tmp_path):
    serialization.save(
        Classifier(**BILSTM.architecture()), BILSTM.architecture(), Encoding(**BILSTM.encoding()), tmp_path
    )
    malicious(tmp_path / serialization.WEIGHTS)
    with pytest.raises(UserError, match=r"holds a corrupt file \(SafetensorError\): `dvc checkout"):
        serialization.load(tmp_path)


def test_malicious_parameters_of_a_baseline_are_not_unpickled(malicious, tmp_path):
    (tmp_path / baseline.NGRAMS).write_text("good\nbad")
    (tmp_path / baseline.DESCRIPTION).write_text('{"name": "nb_logistic", "max_ngram": 1}')
    malicious(tmp_path / baseline.NUMBERS)
    with pytest.raises(UserError, match=r"holds a corrupt file \(SafetensorError\): `dvc checkout"):
        baseline.load(tmp_path)


def test_a_malicious_checkpoint_is_not_unpickled(malicious, tmp_path, tokens):
    malicious(tmp_path / "work" / "last.ckpt")
    trainer = PARAMS.trainer.model_copy(update={"precision": "32-true"})
    with pytest.raises(UserError, match=r"work/last\.ckpt .*\(UnpicklingError\): `rm -f ") as caught:
        fit("bilstm", BILSTM, trainer, 7, tokens=tokens, checkpoints=tmp_path / "work", logger=False)
    run_cure(str(caught.value), "rm -f {}/*.ckpt {}/history.json", tmp_path)
    assert not list((tmp_path / "work").glob("*.ckpt"))


@pytest.mark.parametrize("name", ["../../elsewhere", "/etc/elsewhere", "..", ".", "a/b", "a\\b", "", "a\n", "~root"])
@pytest.mark.parametrize("where", ["models", "registry.candidate", "teachers"])
def test_a_name_that_becomes_a_folder_cannot_lead_out_of_the_project(where, name, tmp_path):
    values = shrunk_values()
    if where == "models":
        values["models"][name] = {}
        values["architectures"] = [*values["architectures"], name]
    elif where == "teachers":
        values["models"]["best"]["teachers"] = [name]
    else:
        values["registry"]["candidate"] = f"family/{name}"
    with pytest.raises(UserError, match=where.split(".")[0]):
        params.load(write_params(values, tmp_path))


@pytest.mark.parametrize("url", ["journal:///tmp/study.journal", "sqlite:////etc/study.db", "file:///tmp/study"])
def test_a_study_is_stored_in_the_project_or_on_a_server(url, tmp_path):
    values = shrunk_values()
    values["search"]["storage"] = url
    with pytest.raises(UserError, match=r"search\.storage"):
        params.load(write_params(values, tmp_path))
    values["search"]["storage"] = "postgresql+psycopg://user:password@host/optuna"
    params.load(write_params(values, tmp_path))


@pytest.mark.parametrize("stage", ["train", "search", "baseline", "pseudo_label"])
def test_a_stage_takes_no_path_as_a_name(stage, project):
    with pytest.raises(UserError, match=r"no (architecture|baseline) \.\./\.\./x in params\.yaml"):
        import_module(f"pipeline.{stage}").main("../../x")
    assert sorted(path.name for path in project.iterdir() if path.name != "mlruns") == ["params.yaml"]


def test_servers_have_no_option_for_another_address():
    """Their address is `serving.sockets.HOST`; tests/serving checks the sockets."""
    assert HOST == "127.0.0.1"
    commands = {command.callback.__name__: command.callback for command in cli.app.registered_commands}
    for name in ("serve", "ui"):
        assert list(signature(commands[name]).parameters) == ["port"]
    makefile = (ROOT / "Makefile").read_text()
    assert not re.search(r"--host|0\.0\.0\.0|mlflow (ui|server)|uvicorn", makefile)


def test_the_command_of_the_makefile_is_installed_with_the_package():
    scripts = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    assert scripts == {"sentiment-rnn": f"{cli.__name__}:{cli.main.__name__}"}
