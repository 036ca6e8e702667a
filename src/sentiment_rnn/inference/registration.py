"""Register the candidate: its seeds become one calibrated model, the next version of the registered model."""

import hashlib
import shutil
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Any

import mlflow
import numpy as np
from mlflow import MlflowClient
from mlflow.entities.model_registry import ModelVersion
from mlflow.exceptions import MlflowException
from mlflow.models import ModelSignature
from mlflow.types import ColSpec, Schema

from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import expected_calibration_error, fit_temperature
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import atomic_folder, read_json
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.inference.export import export
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import Params
from sentiment_rnn.tracking import descriptions, registry, runs
from sentiment_rnn.tracking.store import connect, tracking_uri

CODE = Path(__file__).with_name("pyfunc_model.py")
MODEL, TOKENIZER = "model.onnx", "tokenizer.json"
REQUIREMENTS = ("mlflow", "numpy", "onnxruntime", "tokenizers")
WEIGHTS = "weights"  # of a run's artifacts: what `explain` and further training read
# without a name, because MLflow accepts no list of strings for a column that has one
SIGNATURE = ModelSignature(
    Schema([ColSpec("string")]),
    Schema([ColSpec("string", "label"), ColSpec("double", "probability"), ColSpec("long", "known_words")]),
)


def digest(folder: Path) -> str:
    """SHA-256 of the files that are served, of a folder that `build_ensemble` wrote."""
    files = [CODE, folder / MODEL, folder / TOKENIZER]
    return hashlib.sha256(b"".join(hashlib.sha256(file.read_bytes()).digest() for file in files)).hexdigest()


def register(params: Params, *, tokens: Path, models: Path, reports: Path, work: Path) -> dict[str, Any]:
    """Build the candidate's model, calibrate it, export it, register it.

    If a version with the same served files exists, no new version is made: the report names that version.

    Args:
        params: `registry` and the candidate's section of `models` are used.
        tokens: folder of the tokenize stage.
        models: folder of all trained models.
        reports: folder of the training reports.
        work: folder for the model's files before they are logged.

    Returns:
        The report: the version, the seeds and their run, what `build_ensemble` returns.

    Raises:
        UserError: the candidate is not trained, or its models are corrupt.
    """
    identity, architecture = load_identity(tokens), params.registry.architecture
    seeds = read_json(reports / f"{params.registry.candidate}.json")["seeds"]
    if not params.model_of(architecture).ensemble:
        seeds = [min(seeds, key=lambda seed: seed["validation_loss"])]
    numbers = [seed["seed"] for seed in seeds]
    folder = work / architecture
    folders = [models / params.registry.candidate / f"seed-{number}" for number in numbers]
    class_names = params.dataset.class_names
    built = build_ensemble(folders, tokens, folder, class_names)
    validation = built["validation"]

    client, name = connect(), params.registered_name
    tags = {
        "architecture": architecture,
        "seeds": ", ".join(map(str, numbers)),
        "members": str(built["members"]),
        "refit": str(built["refit"]).lower(),
        "temperature": str(built["temperature"]),
        "reproduce": "dvc repro register",
    }
    existing = registry.find(client, name, digest(folder))
    run_id = _existing_run(client, existing, seeds)
    if run_id is None:
        label = f"{architecture}, ensemble of {len(seeds)}" if len(seeds) > 1 else f"{architecture} (from files)"
        run_id = runs.start(client, identity["dataset"], label, params={}, tags=tags, identity=identity)
        client.set_terminated(run_id)
    seeds_used = f"seed {numbers[0]}" if len(seeds) == 1 else f"the ensemble of seeds {tags['seeds']}"
    splits = "train and validation" if built["refit"] else "train"
    summary = f"{architecture}, {seeds_used}, trained on {splits} of {descriptions.corpus(identity['dataset'])}"
    if existing:
        version = str(existing.version)
    else:
        version = log_version(run_id, name, folder)
        tags |= {
            **runs.dataset_tags(identity),
            "classes": ", ".join(class_names),
            registry.DIGEST: digest(folder),
            "validation.accuracy": f"{validation['accuracy']:.6f}",
            "validation.loss": f"{validation['after']['log_loss']:.6f}",
            "validation.ece": f"{validation['after']['ece']:.6f}",
        }
        registry.describe_version(client, name, version, tags=tags, description=f"{summary}.")
    print(f"{name} version {version}: {summary}")
    print(
        f"temperature {built['temperature']}: "
        f"validation loss {validation['before']['log_loss']:.4f} to {validation['after']['log_loss']:.4f}, "
        f"ECE {validation['before']['ece']:.4f} to {validation['after']['ece']:.4f}; "
        f"validation accuracy {validation['accuracy']:.4f}"
    )
    return {
        "dataset": identity["dataset"],
        "model": name,
        "version": version,
        "architecture": architecture,
        "seeds": numbers,
        **built,
        "run_id": run_id,
    }


def build_ensemble(trained: Sequence[Path], tokens: Path, out: Path, class_names: Sequence[str]) -> dict[str, Any]:
    """Write one model of several seeds to `out`, with the temperature fitted on validation: its weights, and as ONNX.

    Exports the refit models if there are any; temperature and validation metrics come from the models before the refit,
    which were not trained on validation.

    Args:
        trained: the folder of each seed's model; several become an ensemble.
        tokens: folder of the tokenize stage.
        out: replaced as a whole.
        class_names: of the classes 0 and 1, the exported model's labels.

    Returns:
        members, refit (whether the exported models are refits), parameters (of all members together), temperature, and
        `validation`: number of reviews, accuracy, log loss and expected calibration error before and after temperature
        scaling. Those after it are optimistic, as the temperature was fitted on the same reviews.

    Raises:
        UserError: a folder holds no model, or the architectures differ.
    """
    loaded = [serialization.load(folder) for folder in trained]
    saved = [read_json(folder / serialization.DESCRIPTION) for folder in trained]
    for folder, description in zip(trained, saved, strict=True):
        if description != saved[0]:
            raise UserError(f"{folder} has another architecture than {trained[0]}: train both again")
    encoding = loaded[0].encoding
    validation = TokenizedReviews(tokens, ["validation"], encoding)
    logits = predict_logits(_combine(loaded), validation).astype(np.float64)
    temperature = fit_temperature(logits, validation.labels)
    exported = [serialization.final(folder) for folder in trained]
    model = _combine([serialization.load(folder) for folder in exported])
    with atomic_folder(out) as partial:
        serialization.save(model, saved[0]["architecture"], encoding, partial, temperature)
        prior = float(TokenizedReviews(tokens, ["train"], encoding).labels.mean())
        export(model, encoding, temperature, prior, partial / MODEL, class_names)
        shutil.copy(tokens / TOKENIZER, partial)
    return {
        "members": len(trained),
        "refit": exported != list(trained),
        "parameters": sum(weights.numel() for weights in model.parameters()),
        "temperature": temperature,
        "validation": {
            "n": len(validation),
            "accuracy": evaluate(probabilities(logits), validation.labels)["accuracy"],
            "before": _loss_and_ece(logits, validation.labels),
            "after": _loss_and_ece(logits / temperature, validation.labels),
        },
    }


def _combine(trained: Sequence[serialization.SavedModel]) -> Classifier | Ensemble:
    members = [model for model, _, _ in trained]
    return Ensemble(members).eval() if len(members) > 1 else members[0]


def _loss_and_ece(logits: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    positive = probabilities(logits)
    return {
        "log_loss": evaluate(positive, labels)["log_loss"],
        "ece": expected_calibration_error(positive, labels),
    }


def _existing_run(client: MlflowClient, version: ModelVersion | None, seeds: list[dict[str, Any]]) -> str | None:
    """The run of the existing version, else the training run of a single seed; None if the store has neither."""
    run_ids = [version.run_id] if version else []
    if len(seeds) == 1:
        run_ids.append(seeds[0]["run_id"])
    return next((run_id for run_id in run_ids if runs.exists(client, run_id)), None)


def log_version(run_id: str, name: str, folder: Path) -> str:
    """Log a model to a run as the next version of `name`, and its weights beside it; the version's number.

    Args:
        run_id: of the run.
        name: the registered model's.
        folder: written by `build_ensemble`.
    """
    mlflow.set_tracking_uri(tracking_uri())
    mlflow.set_registry_uri(tracking_uri())
    client = MlflowClient(tracking_uri(), tracking_uri())
    ended = client.get_run(run_id).info.end_time
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.pyfunc.log_model(
            name="model",
            python_model=str(CODE),
            artifacts={"model": str(folder / MODEL), "tokenizer": str(folder / TOKENIZER)},
            signature=SIGNATURE,
            input_example=["A warm, funny film."],
            pip_requirements=[f"{package}=={installed_version(package)}" for package in REQUIREMENTS],
        )
    with suppress(MlflowException):  # it exists
        client.create_registered_model(name)
    version = str(client.create_model_version(name, logged.model_uri, run_id, model_id=logged.model_id).version)
    for file in (serialization.WEIGHTS, serialization.DESCRIPTION, TOKENIZER):
        client.log_artifact(run_id, str(folder / file), f"{WEIGHTS}/version-{version}")
    if ended:  # the run's duration remains that of the training
        client.set_terminated(run_id, end_time=ended)
    return version
