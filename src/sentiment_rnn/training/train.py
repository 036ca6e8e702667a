"""Train an architecture with one seed: one MLflow run, taken up again where it was killed; the model as files."""

import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Metric
from pytorch_lightning.loggers import MLFlowLogger

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.datamodule import PROTOCOLS
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.evaluation.plots import learning_curves
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import saved, score
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect, tracking_uri
from sentiment_rnn.training.callbacks import SystemMetrics
from sentiment_rnn.training.fit import Fit, fit, is_first_process


def train(
    name: str, model: ModelParams, params: TrainerParams, seed: int, *, tokens: Path, work: Path, out: Path
) -> dict[str, Any] | None:
    """Train, score validation in float32, write the model.

    Args:
        name: the architecture's.
        model: its parameters.
        params: Trainer's.
        seed: this training's.
        tokens: folder of the tokenize stage.
        work: where checkpoints and the run's id wait in case the process is killed.
        out: the model's folder.

    Returns:
        What there is to report of this seed; None in all processes but the first.
    """
    identity = load_identity(tokens)
    run_id = None
    if is_first_process():
        client = connect()
        run_id = _open_run(client, name, model, params, seed, identity, work)
        with runs.running(client, run_id):
            return _train_and_save(client, run_id, name, model, params, seed, tokens, work, out)
    fit(name, model, params, seed, tokens=tokens, checkpoints=work, logger=False)
    return None


def _open_run(
    client: MlflowClient,
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    identity: dict[str, Any],
    work: Path,
) -> str:
    """The run of a killed training of just the same, or a new one and an empty `work`."""
    chosen = {**model.model_dump(exclude={"seeds"}), "seed": seed, **params.model_dump()}
    same = hashlib.sha256(json.dumps([chosen, identity], sort_keys=True).encode()).hexdigest()
    note = work / "run.json"
    if note.exists():
        left = read_json(note)
        if left["same"] == same and left["store"] == tracking_uri() and runs.exists(client, left["run_id"]):
            print(f"{name}: going on with MLflow run {left['run_id']}", flush=True)
            return str(left["run_id"])
        if left["store"] == tracking_uri():
            runs.end_killed(client, left["run_id"])  # its parameters or its data are no longer these
    shutil.rmtree(work, ignore_errors=True)
    tags = {
        "architecture": name,
        "seed": str(seed),
        "protocol": model.protocol,
        "reproduce": f"dvc repro train@{name}",
    }
    if model.protocol == "document":
        tags["mlflow.note.content"] = (
            "The documents' protocol: trained on all of train, scored on the test reviews after each epoch. "
            "Not comparable with runs that are chosen on validation."
        )
    label = name if len(model.seeds) == 1 else f"{name} seed {seed}"
    run_id = runs.start(client, identity["dataset"], label, params=chosen, tags=tags, identity=identity)
    write_json(note, {"run_id": run_id, "same": same, "store": tracking_uri()})
    return run_id


def _train_and_save(
    client: MlflowClient,
    run_id: str,
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    tokens: Path,
    work: Path,
    out: Path,
) -> dict[str, Any]:
    logger = MLFlowLogger(tracking_uri=tracking_uri(), run_id=run_id)
    done = fit(
        name,
        model,
        params,
        seed,
        tokens=tokens,
        checkpoints=work,
        logger=logger,
        callbacks=[SystemMetrics(run_id)],
    )
    assert done is not None, "the first process keeps the fit"
    report = _report(done, model, seed)
    saved.save(done.model, model.architecture(), Encoding(**model.encoding()), out)
    write_json(out / "history.json", done.history)
    for file in (out / saved.DESCRIPTION, out / saved.WEIGHTS):
        client.log_artifact(run_id, str(file), "model")
    client.log_figure(run_id, learning_curves(done.history, name), "learning_curves.png")
    figures = {key: value for key, value in report.items() if isinstance(value, float | int) and key != "seed"}
    client.log_batch(run_id, metrics=[Metric(f"best_{key}", value, 0, 0) for key, value in figures.items()])
    return {**report, "run_id": run_id}


def _report(done: Fit, model: ModelParams, seed: int) -> dict[str, Any]:
    """The figures of one seed: what was scored, again in float32 on one device, and what it cost."""
    scored = PROTOCOLS[model.protocol][1]
    metrics = evaluate(probabilities(score.logits(done.model, done.data.scored)), done.data.scored.labels)
    steady = done.history[1:] or done.history  # the first epoch also builds the kernels
    return {
        "seed": seed,
        f"{scored}_accuracy": metrics["accuracy"],
        f"{scored}_loss": metrics["log_loss"],
        "parameters": sum(weights.numel() for weights in done.model.parameters()),
        "epochs": len(done.history),
        "epoch_seconds": sum(row["epoch_seconds"] for row in steady) / len(steady),
        "tokens_per_second": sum(row["tokens_per_second"] for row in steady) / len(steady),
        "train_seconds": sum(row["epoch_seconds"] for row in done.history),
    }
