"""Fixtures: the real params.yaml with small sizes, in a temporary project."""

import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

os.environ.setdefault("GOMP_SPINCOUNT", "1000")  # as the pipeline has it: two cores are often shared in CI
os.environ.pop("IMDB_MIRROR", None)
os.environ.pop("MLFLOW_TRACKING_URI", None)
os.environ.pop("OPTUNA_STORAGE", None)

import mlflow
import pytest
import torch
from mlflow import MlflowClient
from postgresql import PostgreSQL
from ruamel.yaml import YAML
from xdist.scheduler import LoadFileScheduling

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.execution.environment import set_defaults
from sentiment_rnn.inference import registration, serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.inference.export import export
from sentiment_rnn.models import Classifier
from sentiment_rnn.tracking import registry, runs
from sentiment_rnn.tracking.store import connect

set_defaults()
ROOT = Path(__file__).parents[1]
NAME = "synthetic-bilstm"  # of the registered model


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests come first: otherwise one of several processes is left with them at the end."""
    items.sort(key=lambda item: "pipeline" not in item.path.parts)


@pytest.hookimpl(optionalhook=True)  # of pytest-xdist
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadFileScheduling:
    """A process runs a file as a whole, and one of them all files that use `reproduced`, which takes a minute."""

    @cache
    def scope(file: str) -> str:
        uses_it = re.search(r"[(,] *reproduced\b", (config.rootpath / file).read_text())
        return "reproduced" if uses_it else file

    class ByFile(LoadFileScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return scope(super()._split_scope(nodeid))

    return ByFile(config, log)


def shrunk_values() -> dict:
    """The values of the project's params.yaml with small sizes: seconds instead of minutes."""
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    values["data"]["dataset"] = "synthetic"
    values["datasets"]["synthetic"] |= {"train": 240, "test": 80, "unsupervised": 20}
    values["tokenizer"] |= {"vocab_size": 500, "min_frequency": 1}
    values["trainer"] |= {"accelerator": "cpu", "devices": 1, "min_steps": 1}
    values["model"] |= {"vocab_size": 300, "max_length": 48, "embedding_size": 8, "batch_size": 16, "max_epochs": 2}
    values["model"]["bigrams"]["buckets"] = 50
    values["word_vectors"] |= {"size": 8, "epochs": 2, "min_count": 1}
    for model in values["models"].values():
        model["hidden_size"] = 6
    values["models"]["bilstm_keras"] |= {
        "vocab_size": 200, "max_length": 32, "batch_size": 16, "max_epochs": 2, "seeds": [1],
    }  # fmt: skip
    for name in ("student", "best"):
        values["models"][name] |= {"vocab_size": 300, "max_length": 48, "bigrams": {"size": 4}}
    values["models"]["evolved_lstm"] |= {"vocab_size": 300, "max_length": 48, "batch_size": 16}
    values["ablation"]["model"] = {"max_length": 24}
    values["registry"]["candidate"] = "family/bilstm"
    values["search"] |= {"n_trials": 2, "max_epochs": 1, "train_fraction": 0.5}
    return values


def write_params(values: dict, folder: Path) -> Path:
    """Write params.yaml to a folder."""
    path = folder / "params.yaml"
    with path.open("w") as file:
        YAML().dump(values, file)
    return path


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty project with the shrunk params.yaml; the test runs in it."""
    write_params(shrunk_values(), tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="session")
def tokens(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder `data/tokens` of the synthetic corpus, made once by the stages download and tokenize."""
    from pipeline import download, tokenize

    folder = tmp_path_factory.mktemp("tokenized")
    write_params(shrunk_values(), folder)
    before = Path.cwd()
    os.chdir(folder)
    try:
        download.main()
        tokenize.main()
    finally:
        os.chdir(before)
    return folder / "data" / "tokens"


@pytest.fixture
def chosen(project: Path) -> params.Params:
    """The shrunk params, validated."""
    return params.load()


@pytest.fixture(scope="session")
def empty_store(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty database to copy: making one takes over a second."""
    folder = tmp_path_factory.mktemp("empty")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        connect()
    return folder / "mlruns"


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, empty_store: Path) -> MlflowClient:
    """A client of an empty store in a temporary folder; the test runs there."""
    shutil.copytree(empty_store, tmp_path / "mlruns")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{tmp_path}/mlruns/mlflow.db")
    return connect()


@pytest.fixture(scope="session")
def reproduced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project of its own, in git and DVC, after the first run of its pipeline."""
    import project

    folder = tmp_path_factory.mktemp("project")
    project.reproduce(folder)
    return folder


def save_untrained(name: str, folder: Path, members: int = 1, temperature: float | None = None) -> None:
    """Write an untrained model of an architecture, or an ensemble, with weights so large that predictions differ."""
    model = params.Params.model_validate(shrunk_values()).model_of(name)
    classifiers = [Classifier(**model.architecture()) for _ in range(members)]
    for classifier in classifiers:
        torch.nn.init.normal_(classifier.embedding.weight)
        torch.nn.init.normal_(classifier.readout.weight)
    made = Ensemble(classifiers) if members > 1 else classifiers[0]
    serialization.save(made, model.architecture(), Encoding(**model.encoding()), folder, temperature)


def export_saved(folder: Path, tokens: Path) -> None:
    """Add the files that are served to a saved model."""
    export(
        *serialization.load(folder), prior=0.5, path=folder / registration.MODEL, class_names=("negative", "positive")
    )
    shutil.copy(tokens / registration.TOKENIZER, folder)


@contextmanager
def running_in(folder: Path) -> Iterator[None]:
    """The block runs in a project, on its store."""
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow itself sets both, for its children
            patch.setenv(name, f"sqlite:///{folder}/mlruns/mlflow.db")
        yield
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)


@pytest.fixture(scope="session")
def champion(tmp_path_factory: pytest.TempPathFactory, empty_store: Path, tokens: Path) -> Path:
    """A project whose champion, version 1 of `synthetic-bilstm`, is an ensemble, in `model`; gru has a model too."""
    folder = tmp_path_factory.mktemp("champion")
    shutil.copytree(empty_store, folder / "mlruns")
    write_params(shrunk_values(), folder)
    (folder / "data").mkdir()
    (folder / "data/tokens").symlink_to(tokens)
    torch.manual_seed(0)
    save_untrained("best", folder / "model", members=2, temperature=1.3)
    export_saved(folder / "model", tokens)
    save_untrained("gru", folder / "models/family/gru/seed-7")
    with running_in(folder):
        client = connect()
        run_id = runs.start(client, "synthetic", "best", params={}, tags={}, identity=load_identity(tokens))
        version = registration.log_version(run_id, NAME, folder / "model")
        client.set_registered_model_alias(NAME, registry.CHAMPION, version)
    return folder


@pytest.fixture(scope="module")
def in_champion(champion: Path) -> Iterator[Path]:
    """The module's tests run in the project that has the champion."""
    with running_in(champion):
        yield champion


@pytest.fixture(scope="session")
def postgresql(tmp_path_factory: pytest.TempPathFactory) -> Iterator[PostgreSQL]:
    """A running PostgreSQL with the databases `optuna` and `mlflow`; skipped where it is not installed."""
    server = PostgreSQL(tmp_path_factory.mktemp("postgresql"))
    yield server
    server.kill()


@pytest.fixture(scope="session")
def servers(postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """PostgreSQL, and an MLflow server on it: `searching.Stores`."""
    from searching import mlflow_server

    with mlflow_server(postgresql, tmp_path_factory.mktemp("server")) as stores:
        yield stores
