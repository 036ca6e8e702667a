"""The stage train: each seed of an architecture in an MLflow run of its own, which a killed training resumes."""

import csv
import hashlib
import json
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
from matplotlib import pyplot as plt
from mlflow import MlflowClient
from pytorch_lightning.loggers import Logger
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.fitting import fit_to_data
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation.metrics import evaluate, probabilities, training_report
from sentiment_rnn.evaluation.plots import learning_curves
from sentiment_rnn.files import atomic_file, read_json, write_json
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.logits import predict_logits
from sentiment_rnn.params import ModelParams, Params, TrainerParams, updated
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect, tracking_uri
from sentiment_rnn.training import distillation, pretrained
from sentiment_rnn.training.callbacks import SystemMetrics
from sentiment_rnn.training.datamodule import PROTOCOLS
from sentiment_rnn.training.devices import resolve_precision
from sentiment_rnn.training.distillation import distill
from sentiment_rnn.training.fit import FitResult, fit
from sentiment_rnn.training.logger import RunLogger
from sentiment_rnn.training.ranks import is_rank_zero


class Folders(NamedTuple):
    """Inputs and outputs of the stage train."""

    tokens: Path = Path("data/tokens")
    word_vectors: Path = Path("data/word_vectors")
    pseudo_labels: Path = Path("data/pseudo_labels")  # one folder per architecture
    searches: Path = Path("searches")
    models: Path = Path("models")
    reports: Path = Path("reports/train")
    work: Path = Path("work/train")  # checkpoints of unfinished trainings


def train(name: str, params: Params, folders: Folders = Folders()) -> None:  # noqa: B008
    """Train all seeds of an architecture; write their models, the report and the learning curves.

    Raises:
        UserError: an input is missing or corrupt.
    """
    model, path = params.model_of(name), params.path_of(name)
    if not model.teachers:
        model = updated(model, read_json(folders.searches / f"{name}.json"))
    model = fit_to_data(model, folders.tokens, params.trainer.min_steps)
    work = folders.work / name
    outs = {seed: folders.models / path / f"seed-{seed}" for seed in model.seeds}
    metrics = [train_seed(name, model, params.trainer, seed, folders, work, out) for seed, out in outs.items()]
    if not is_rank_zero():
        return
    for stale in set((folders.models / path).glob("seed-*")) - set(outs.values()):
        shutil.rmtree(stale)  # of seeds that were in params.yaml before
    dataset = load_identity(folders.tokens)["dataset"]
    write_json(folders.reports / f"{path}.json", training_report(name, dataset, model.protocol, metrics))
    eval_split = PROTOCOLS[model.protocol].eval_split
    history = [  # the same columns for all architectures, so that DVC can plot them together
        {"seed": seed, **{key.replace(f"{eval_split}_", "eval_"): value for key, value in row.items()}}
        for seed, out in outs.items()
        for row in read_json(out / "history.json")
    ]
    with atomic_file(folders.reports / f"{path}.csv") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    shutil.rmtree(work)


def train_seed(
    name: str, model: ModelParams, params: TrainerParams, seed: int, folders: Folders, work: Path, out: Path
) -> dict[str, Any]:
    """Train one seed, evaluate it in float32, write the model.

    Returns:
        The seed's metrics; empty in all processes but rank zero.
    """
    pseudo_labels = folders.pseudo_labels / name
    identity = load_identity(folders.tokens)
    parameters = {
        **model.seed_independent(),
        "seed": seed,
        **params.model_dump(),
        "precision": resolve_precision(params),
        "word_vectors_sha256": pretrained.digest(model, folders.word_vectors),
        "pseudo_labels_sha256": distillation.digest(name, model, pseudo_labels),
    }
    digest = hashlib.sha256(json.dumps([parameters, identity], sort_keys=True).encode()).hexdigest()
    # named by all that determines the weights: a training can resume from its own checkpoints only
    checkpoints = work / f"seed-{seed}-{digest[:12]}"
    inputs: dict[str, Any] = {
        "tokens": folders.tokens,
        "init_state": pretrained.load(model, folders.word_vectors, folders.tokens),
        "pseudo_labels": distillation.load(name, model, pseudo_labels, folders.tokens),
        "checkpoints": checkpoints,
    }
    if not is_rank_zero():
        run_fits(name, model, params, seed, **inputs, logger=False)
        return {}
    client = connect()
    run_id = _open_run(client, name, model, parameters, identity, checkpoints)
    with runs.running(client, run_id):
        fits = run_fits(
            name, model, params, seed, **inputs, logger=RunLogger(run_id), callbacks=[SystemMetrics(run_id)]
        )
        metrics = _save(client, run_id, name, model, fits, out)
    return {"seed": seed, **metrics, "run_id": run_id}


class Fits(NamedTuple):
    """The results of the fits of one seed: None where there is no such fit, and in all processes but rank zero."""

    distilled: FitResult | None
    trained: FitResult | None
    refit: FitResult | None


def run_fits(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: Path,
    init_state: Mapping[str, Tensor] | None,
    pseudo_labels: np.ndarray | None,
    checkpoints: Path | None,
    logger: Logger | bool,
    callbacks: Sequence[pl.Callback] = (),
) -> Fits:
    """Fit to the pseudo-labels if there are any, then to the labels; refit with validation if the model says so.

    The refit starts from the same weights as the fit to the labels. It cannot be evaluated: validation metrics and
    temperature are those of the fit to the labels.

    Args:
        name: in the progress output.
        model: architecture and training parameters.
        params: Trainer's.
        seed: of all fits.
        tokens: folder of the tokenize stage.
        init_state: weights that replace some of the initial ones, by name.
        pseudo_labels: the teachers' probabilities `(N,)`; None: no distillation.
        checkpoints: folder from which killed fits resume; None: no checkpoints.
        logger: for the metrics of the fit to the labels; False: none.
        callbacks: further ones of that fit.
    """
    distilled = refit = None
    if pseudo_labels is not None:
        distilled = distill(
            name,
            model,
            params,
            seed,
            tokens=tokens,
            checkpoints=checkpoints and checkpoints / "distilled",
            pseudo_labels=pseudo_labels,
            init_state=init_state,
        )
        init_state = distilled.model.state_dict() if distilled else None  # DDP broadcasts rank zero's weights
    trained = fit(
        name,
        model,
        params,
        seed,
        tokens=tokens,
        checkpoints=checkpoints,
        logger=logger,
        callbacks=callbacks,
        init_state=init_state,
    )
    if model.refit:
        refit = fit(
            f"{name}, refit with validation",
            model.model_copy(update={"protocol": "refit"}),
            params,
            seed,
            tokens=tokens,
            checkpoints=checkpoints and checkpoints / "refit",
            logger=False,
            init_state=init_state,
        )
    return Fits(distilled, trained, refit)


def _open_run(
    client: MlflowClient,
    name: str,
    model: ModelParams,
    parameters: dict[str, Any],
    identity: dict[str, Any],
    checkpoints: Path,
) -> str:
    """The run of a killed training with the same parameters and data, or a new one."""
    seed = parameters["seed"]
    for file in checkpoints.parent.glob(f"seed-{seed}-*/run.json"):
        previous = read_json(file)
        if previous["store"] != tracking_uri():
            continue
        if file.parent == checkpoints and runs.exists(client, previous["run_id"]):
            print(f"{name}: resuming MLflow run {previous['run_id']}", flush=True)
            return str(previous["run_id"])
        runs.mark_killed(client, previous["run_id"])  # its parameters or its data have changed since
    shutil.rmtree(checkpoints, ignore_errors=True)
    stage = f"train_{name}" if model.teachers else f"train@{name}"
    tags = {
        "architecture": name,
        "seed": str(seed),
        "protocol": model.protocol,
        "reproduce": f"dvc repro {stage}",
    }
    if model.protocol == "keras_reference":
        tags["mlflow.note.content"] = (
            "The protocol of the reference script: trained on train and validation, evaluated on test after each "
            "epoch. Not comparable with runs whose epoch is selected on validation."
        )
    label = name if len(model.seeds) == 1 else f"{name} seed {seed}"
    run_id = runs.start(client, identity["dataset"], label, params=parameters, tags=tags, identity=identity)
    write_json(checkpoints / "run.json", {"run_id": run_id, "store": tracking_uri()})
    return run_id


def _save(client: MlflowClient, run_id: str, name: str, model: ModelParams, fits: Fits, out: Path) -> dict[str, Any]:
    """Write the models, log metrics and artifacts; the metrics."""
    encoding = Encoding(**model.encoding())
    distilled, trained, refit = fits
    assert trained is not None, "rank zero has the result"
    metrics = _metrics(trained, model)
    if distilled:
        last = distilled.history[-1]
        metrics |= {f"distilled_{key}": last[key] for key in ("validation_accuracy", "validation_loss")}
        metrics["distillation_seconds"] = sum(row["epoch_seconds"] for row in distilled.history)
    serialization.save(trained.model, model.architecture(), encoding, out)
    write_json(out / "history.json", trained.history)
    for file in (out / serialization.DESCRIPTION, out / serialization.WEIGHTS):
        client.log_artifact(run_id, str(file), "model")
    shutil.rmtree(out / serialization.REFIT, ignore_errors=True)
    if refit:
        serialization.save(refit.model, model.architecture(), encoding, out / serialization.REFIT)
        metrics["refit_seconds"] = sum(row["epoch_seconds"] for row in refit.history)
    figure = learning_curves(trained.history, name)
    client.log_figure(run_id, figure, "learning_curves.png")
    plt.close(figure)
    # the curves end with the last epoch; these metrics are the saved model's
    prefix = "final" if model.protocol == "keras_reference" else "best"
    for key, value in metrics.items():
        client.log_metric(run_id, f"{prefix}_{key}" if key.startswith(("validation_", "test_")) else key, value)
    return metrics


def _metrics(trained: FitResult, model: ModelParams) -> dict[str, Any]:
    """Metrics on the eval split in float32 on one device, and the cost of the training."""
    eval_split = PROTOCOLS[model.protocol].eval_split
    metrics = evaluate(
        probabilities(predict_logits(trained.model, trained.data.eval_set)), trained.data.eval_set.labels
    )
    steady = trained.history[1:] or trained.history  # the first epoch includes warm-up
    return {
        f"{eval_split}_accuracy": metrics["accuracy"],
        f"{eval_split}_loss": metrics["log_loss"],
        "parameters": sum(weights.numel() for weights in trained.model.parameters()),
        "epochs": len(trained.history),
        "mean_epoch_seconds": sum(row["epoch_seconds"] for row in steady) / len(steady),
        "mean_tokens_per_second": sum(row["tokens_per_second"] for row in steady) / len(steady),
        "train_seconds": sum(row["epoch_seconds"] for row in trained.history),
    }
