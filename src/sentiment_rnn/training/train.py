"""The stage train: each seed of an architecture in an MLflow run that a killed training resumes; the model as files."""

import csv
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
    """Where a training reads and writes."""

    tokens: Path = Path("data/tokens")
    word_vectors: Path = Path("data/word_vectors")
    pseudo_labels: Path = Path("data/pseudo_labels")  # a folder for each architecture
    searches: Path = Path("searches")
    models: Path = Path("models")
    reports: Path = Path("reports/train")
    work: Path = Path("work/train")  # what a killed training resumes from


def train(name: str, params: Params, folders: Folders = Folders()) -> None:  # noqa: B008
    """Train all seeds of an architecture; write their models, the report and the learning curves.

    Raises:
        UserError: an input is missing or corrupt.
    """
    model, path = params.model_of(name), params.path_of(name)
    if not model.teachers:
        model = updated(model, read_json(folders.searches / f"{name}.json"))
    out, work = folders.models / path, folders.work / name
    seeds = []
    for seed in model.seeds:
        report = train_seed(name, model, params.trainer, seed, folders, work, out / f"seed-{seed}")
        if report:
            seeds.append(report)
    if not seeds:
        return  # rank zero of a distributed training writes
    for left in set(out.glob("seed-*")) - {out / f"seed-{seed}" for seed in model.seeds}:
        shutil.rmtree(left)  # of an earlier choice of seeds
    dataset = load_identity(folders.tokens)["dataset"]
    write_json(folders.reports / f"{path}.json", training_report(name, dataset, model.protocol, seeds))
    eval_split = PROTOCOLS[model.protocol].eval_split
    history = [  # one set of columns for all architectures, so that DVC can plot them together
        {"dataset": dataset, "architecture": name, "seed": seed}
        | {key.replace(f"{eval_split}_", "eval_"): value for key, value in row.items()}
        for seed in model.seeds
        for row in read_json(out / f"seed-{seed}" / "history.json")
    ]
    with atomic_file(folders.reports / f"{path}.csv") as file:
        writer = csv.DictWriter(file, fieldnames=list(history[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(history)
    shutil.rmtree(work)


def train_seed(
    name: str, model: ModelParams, params: TrainerParams, seed: int, folders: Folders, work: Path, out: Path
) -> dict[str, Any] | None:
    """Train one seed, evaluate it in float32, write the model.

    Returns:
        The seed's metrics; None in all processes but rank zero.
    """
    tokens, labels = folders.tokens, folders.pseudo_labels / name
    identity = load_identity(tokens)
    chosen = {
        **model.seed_independent(),
        "seed": seed,
        **params.model_dump(),
        "precision": resolve_precision(params),
        "word_vectors_sha256": pretrained.digest(model, folders.word_vectors),
        "pseudo_labels_sha256": distillation.digest(name, model, labels),
    }
    same = hashlib.sha256(json.dumps([chosen, identity], sort_keys=True).encode()).hexdigest()
    # named after all that decides the weights: no process can ever resume from another training's checkpoint
    checkpoints = work / f"seed-{seed}-{same[:12]}"
    training = Training(
        name=name,
        model=model,
        params=params,
        seed=seed,
        tokens=tokens,
        init_state=pretrained.load(model, folders.word_vectors, tokens),
        pseudo_labels=distillation.load(name, model, labels, tokens),
        checkpoints=checkpoints,
    )
    if not is_rank_zero():
        distilled, _ = training.run(logger=False)
        if model.refit:
            training.refit(distilled)
        return None
    client = connect()
    run_id = _open_run(client, name, model, chosen, identity, checkpoints)
    with runs.running(client, run_id):
        return _train_and_save(client, run_id, training, out)


class Training(NamedTuple):
    """The arguments of a training, in each of its processes.

    Attributes:
        name: in the progress output.
        model: its parameters.
        params: Trainer's.
        seed: this training's.
        tokens: folder of the tokenize stage.
        init_state: weights that replace some of the initial ones.
        pseudo_labels: the teachers' probabilities, if it has teachers.
        checkpoints: from where a killed training resumes; None: it starts anew.
    """

    name: str
    model: ModelParams
    params: TrainerParams
    seed: int
    tokens: Path
    init_state: dict[str, Tensor] | None
    pseudo_labels: np.ndarray | None
    checkpoints: Path | None

    def run(
        self, logger: Logger | bool, callbacks: Sequence[pl.Callback] = ()
    ) -> tuple[FitResult | None, FitResult | None]:
        """Distill from the teachers, if there are any, then train on the labels: both results."""
        distilled, init_state = None, self.init_state
        if self.pseudo_labels is not None:
            distilled = distill(
                self.name,
                self.model,
                self.params,
                self.seed,
                tokens=self.tokens,
                checkpoints=self.checkpoints and self.checkpoints / "distilled",
                pseudo_labels=self.pseudo_labels,
                init_state=init_state,
            )
            init_state = distilled.model.state_dict() if distilled else None  # DDP sends rank zero's to the others
        trained = fit(
            self.name,
            self.model,
            self.params,
            self.seed,
            tokens=self.tokens,
            checkpoints=self.checkpoints,
            logger=logger,
            callbacks=callbacks,
            init_state=init_state,
        )
        return distilled, trained

    def refit(self, distilled: FitResult | None) -> FitResult | None:
        """Train once more on the labels, from the same start, those of validation among them.

        Nothing is left to evaluate this model on: the validation metrics and the temperature are those of the model
        before the refit.

        Args:
            distilled: the first result of `run`.
        """
        return fit(
            f"{self.name}, refit with validation",
            self.model.model_copy(update={"protocol": "refit"}),
            self.params,
            self.seed,
            tokens=self.tokens,
            checkpoints=self.checkpoints and self.checkpoints / "refit",
            logger=False,
            init_state=distilled.model.state_dict() if distilled else self.init_state,
        )


def _open_run(
    client: MlflowClient,
    name: str,
    model: ModelParams,
    chosen: dict[str, Any],
    identity: dict[str, Any],
    checkpoints: Path,
) -> str:
    """The run of a killed training with the same parameters and data, or a new one."""
    seed = chosen["seed"]
    for file in checkpoints.parent.glob(f"seed-{seed}-*/run.json"):
        left = read_json(file)
        if left["store"] != tracking_uri():
            continue
        if file.parent == checkpoints and runs.exists(client, left["run_id"]):
            print(f"{name}: resuming MLflow run {left['run_id']}", flush=True)
            return str(left["run_id"])
        runs.mark_killed(client, left["run_id"])  # its parameters or its data have changed since
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
            "The protocol of the reference script: trained on train and validation, evaluated on test after each epoch. "
            "Not comparable with runs that are selected on validation."
        )
    label = name if len(model.seeds) == 1 else f"{name} seed {seed}"
    run_id = runs.start(client, identity["dataset"], label, params=chosen, tags=tags, identity=identity)
    write_json(checkpoints / "run.json", {"run_id": run_id, "store": tracking_uri()})
    return run_id


def _train_and_save(client: MlflowClient, run_id: str, training: Training, out: Path) -> dict[str, Any]:
    name, model = training.name, training.model
    encoding = Encoding(**model.encoding())
    distilled, trained = training.run(RunLogger(run_id), [SystemMetrics(run_id)])
    assert trained is not None, "rank zero has the result"
    metrics = _metrics(trained, model, training.seed)
    if distilled:
        last = distilled.history[-1]
        metrics |= {f"distilled_{key}": last[key] for key in ("validation_accuracy", "validation_loss")}
        metrics["distillation_seconds"] = sum(row["epoch_seconds"] for row in distilled.history)
    serialization.save(trained.model, model.architecture(), encoding, out)
    write_json(out / "history.json", trained.history)
    for file in (out / serialization.DESCRIPTION, out / serialization.WEIGHTS):
        client.log_artifact(run_id, str(file), "model")
    shutil.rmtree(out / serialization.REFIT, ignore_errors=True)
    if model.refit:
        refit = training.refit(distilled)
        assert refit is not None, "rank zero has the result"
        serialization.save(refit.model, model.architecture(), encoding, out / serialization.REFIT)
        metrics["refit_seconds"] = sum(row["epoch_seconds"] for row in refit.history)
    client.log_figure(run_id, learning_curves(trained.history, name), "learning_curves.png")
    # the curves end with the last epoch; these metrics are the saved model's
    prefix = "final" if model.protocol == "keras_reference" else "best"
    for key, value in metrics.items():
        if key.startswith(("validation_", "test_")):
            client.log_metric(run_id, f"{prefix}_{key}", value)
        elif key != "seed":
            client.log_metric(run_id, key, value)
    return {**metrics, "run_id": run_id}


def _metrics(trained: FitResult, model: ModelParams, seed: int) -> dict[str, Any]:
    """One seed's metrics: the eval split once more in float32 on one device, and the cost."""
    eval_split = PROTOCOLS[model.protocol].eval_split
    metrics = evaluate(
        probabilities(predict_logits(trained.model, trained.data.eval_set)), trained.data.eval_set.labels
    )
    steady = trained.history[1:] or trained.history  # the first epoch also builds the kernels
    return {
        "seed": seed,
        f"{eval_split}_accuracy": metrics["accuracy"],
        f"{eval_split}_loss": metrics["log_loss"],
        "parameters": sum(weights.numel() for weights in trained.model.parameters()),
        "epochs": len(trained.history),
        "mean_epoch_seconds": sum(row["epoch_seconds"] for row in steady) / len(steady),
        "mean_tokens_per_second": sum(row["tokens_per_second"] for row in steady) / len(steady),
        "train_seconds": sum(row["epoch_seconds"] for row in trained.history),
    }
