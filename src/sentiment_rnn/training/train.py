"""Train an architecture with one seed: one MLflow run, taken up again where it was killed; the model as files."""

import hashlib
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
from mlflow import MlflowClient
from pytorch_lightning.loggers import Logger
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.datamodule import PROTOCOLS
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.evaluation.plots import learning_curves
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import saved, score
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.pretraining import weights
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect, tracking_uri
from sentiment_rnn.training import distillation
from sentiment_rnn.training.callbacks import SystemMetrics
from sentiment_rnn.training.devices import resolve_precision
from sentiment_rnn.training.distillation import distil
from sentiment_rnn.training.fit import Fit, fit, is_first_process
from sentiment_rnn.training.logger import RunLogger


def train(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: Path,
    pretrained: Path,
    taught: Path,
    work: Path,
    out: Path,
    stage: str,
) -> dict[str, Any] | None:
    """Train, score validation in float32, write the model.

    Args:
        name: the architecture's.
        model: its parameters.
        params: Trainer's.
        seed: this training's.
        tokens: folder of the tokenize stage.
        pretrained: folder of the pretrain stage, read where the model is `pretrained`.
        taught: folder of the teach stage, read where the model has teachers.
        work: folder where checkpoints and the run's id wait in case the process is killed.
        out: the model's folder.
        stage: how `dvc repro` calls the stage, for the run to show.

    Returns:
        What there is to report of this seed; None in all processes but the first.
    """
    identity = load_identity(tokens)
    chosen = {
        **model.of_one_seed(),
        "seed": seed,
        **params.model_dump(),
        "precision": resolve_precision(params),
        "pretrained_weights": weights.digest(model, pretrained),
        "teachers_said": distillation.digest(model, taught),
    }
    same = hashlib.sha256(json.dumps([chosen, identity], sort_keys=True).encode()).hexdigest()
    # named after all that decides the weights: no process can ever go on from another training's checkpoint
    checkpoints = work / f"seed-{seed}-{same[:12]}"
    start = weights.load(model, pretrained, tokens)
    positive = distillation.load(taught, tokens) if model.teachers else None
    training = Training(name, model, params, seed, tokens, start, positive, checkpoints)
    if not is_first_process():
        training.run(logger=False)
        if model.refit:
            training.refit(None)
        return None
    client = connect()
    run_id = _open_run(client, name, model, chosen, identity, checkpoints, stage)
    with runs.running(client, run_id):
        return _train_and_save(client, run_id, training, out)


class Training(NamedTuple):
    """All that a training needs, in each of its processes."""

    name: str
    model: ModelParams
    params: TrainerParams
    seed: int
    tokens: Path
    start: dict[str, Tensor] | None
    positive: np.ndarray | None  # what the teachers said
    checkpoints: Path | None  # where a killed one goes on from

    def run(self, logger: Logger | bool, callbacks: Sequence[pl.Callback] = ()) -> tuple[Fit | None, Fit | None]:
        """What was learned from the teachers, if there are any, and then from the labels."""
        taught, start = None, self.start
        if self.positive is not None:
            taught = distil(
                self.name,
                self.model,
                self.params,
                self.seed,
                tokens=self.tokens,
                checkpoints=self.checkpoints and self.checkpoints / "taught",
                positive=self.positive,
                start=start,
            )
            start = taught.model.state_dict() if taught else None  # the other processes are sent the first one's
        done = fit(
            self.name,
            self.model,
            self.params,
            self.seed,
            tokens=self.tokens,
            checkpoints=self.checkpoints,
            logger=logger,
            callbacks=callbacks,
            start=start,
        )
        return taught, done

    def refit(self, taught: Fit | None) -> Fit | None:
        """The labels learned once more, in as many epochs and from where they began, those of validation among them.

        Nothing is left to judge this model by: what validation said of the other decides, and this one is served.

        Args:
            taught: what `run` learned from the teachers.
        """
        return fit(
            f"{self.name}, with validation",
            self.model.model_copy(update={"protocol": "refit"}),
            self.params,
            self.seed,
            tokens=self.tokens,
            checkpoints=self.checkpoints and self.checkpoints / "refit",
            logger=False,
            start=taught.model.state_dict() if taught else self.start,
        )


def _open_run(
    client: MlflowClient,
    name: str,
    model: ModelParams,
    chosen: dict[str, Any],
    identity: dict[str, Any],
    checkpoints: Path,
    stage: str,
) -> str:
    """The run that a killed training of just the same left, or a new one."""
    seed = chosen["seed"]
    for note in checkpoints.parent.glob(f"seed-{seed}-*/run.json"):
        left = read_json(note)
        if left["store"] != tracking_uri():
            continue
        if note.parent == checkpoints and runs.exists(client, left["run_id"]):
            print(f"{name}: going on with MLflow run {left['run_id']}", flush=True)
            return str(left["run_id"])
        runs.end_killed(client, left["run_id"])  # its parameters or its data are no longer these
    shutil.rmtree(checkpoints, ignore_errors=True)
    tags = {
        "architecture": name,
        "seed": str(seed),
        "protocol": model.protocol,
        "reproduce": f"dvc repro {stage}",
    }
    if model.protocol == "document":
        tags["mlflow.note.content"] = (
            "The documents' protocol: trained on train and validation, scored on the test reviews after each epoch. "
            "Not comparable with runs that are chosen on validation."
        )
    label = name if len(model.seeds) == 1 else f"{name} seed {seed}"
    run_id = runs.start(client, identity["dataset"], label, params=chosen, tags=tags, identity=identity)
    write_json(checkpoints / "run.json", {"run_id": run_id, "store": tracking_uri()})
    return run_id


def _train_and_save(client: MlflowClient, run_id: str, training: Training, out: Path) -> dict[str, Any]:
    name, model = training.name, training.model
    logger = RunLogger(run_id)
    taught, done = training.run(logger, [SystemMetrics(run_id)])
    assert done is not None, "the first process keeps the fit"
    report = _report(done, model, training.seed)
    if taught:
        last = taught.history[-1]
        report |= {f"taught_{key}": last[key] for key in ("validation_accuracy", "validation_loss")}
        report["taught_seconds"] = sum(row["epoch_seconds"] for row in taught.history)
    saved.save(done.model, model.architecture(), Encoding(**model.encoding()), out)
    write_json(out / "history.json", done.history)
    for file in (out / saved.DESCRIPTION, out / saved.WEIGHTS):
        client.log_artifact(run_id, str(file), "model")
    shutil.rmtree(out / saved.REFIT, ignore_errors=True)
    if model.refit:
        refitted = training.refit(taught)
        assert refitted is not None, "the first process keeps the fit"
        saved.save(refitted.model, model.architecture(), Encoding(**model.encoding()), out / saved.REFIT)
        report["refit_seconds"] = sum(row["epoch_seconds"] for row in refitted.history)
    client.log_figure(run_id, learning_curves(done.history, name), "learning_curves.png")
    # the curves end with the last epoch; these are the model's that is kept
    kept = "final" if model.protocol == "document" else "best"
    for key, value in report.items():
        if key.startswith(("validation_", "test_")):
            client.log_metric(run_id, f"{kept}_{key}", value)
        elif key != "seed":
            client.log_metric(run_id, key, value)
    return {**report, "run_id": run_id}


def _report(done: Fit, model: ModelParams, seed: int) -> dict[str, Any]:
    """The figures of one seed: what was scored, again in float32 on one device, and what it cost."""
    scored = PROTOCOLS[model.protocol].scored
    metrics = evaluate(probabilities(score.logits(done.model, done.data.scored)), done.data.scored.labels)
    steady = done.history[1:] or done.history  # the first epoch also builds the kernels
    return {
        "seed": seed,
        f"{scored}_accuracy": metrics["accuracy"],
        f"{scored}_loss": metrics["log_loss"],
        "parameters": sum(weights.numel() for weights in done.model.parameters()),
        "epochs": len(done.history),
        "mean_epoch_seconds": sum(row["epoch_seconds"] for row in steady) / len(steady),
        "mean_tokens_per_second": sum(row["tokens_per_second"] for row in steady) / len(steady),
        "train_seconds": sum(row["epoch_seconds"] for row in done.history),
    }
