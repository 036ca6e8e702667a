"""Seconds of a training step, architecture against architecture, in turn on one machine."""

import hashlib
import json
import time

import torch
import torch.nn.functional as F
from mlflow import MlflowClient
from mlflow.entities import Metric

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams
from sentiment_rnn.studies.experiment import KEY, Context, finished_runs
from sentiment_rnn.tracking import runs
from sentiment_rnn.training.devices import gpus, machine, resolve_precision

ROUNDS = 12


def measure(client: MlflowClient, models: dict[str, ModelParams], context: Context) -> str:
    """Time a step (forward, backward) of every model on one full batch of random tokens, in turn.

    Returns:
        The id of its MLflow run: for each architecture a metric `NAME_step_seconds`, whose step is the round. On a
        machine that has been measured, the run that did it.
    """
    device = torch.device("cuda" if gpus(context.trainer) else "cpu")
    precision = resolve_precision(context.trainer)
    made_of = {name: [model.architecture(), model.max_length, model.batch_size] for name, model in models.items()}
    what = json.dumps([made_of, machine(context.trainer), precision], sort_keys=True)
    key = f"timing {hashlib.sha256(what.encode()).hexdigest()[:24]}"
    if run := finished_runs(client, context).get(key):
        return str(run.info.run_id)
    classifiers = {name: Classifier(**model.architecture()).to(device) for name, model in models.items()}
    run_id = runs.start(
        client,
        context.experiment_name(),
        "timing",
        params={"machine": machine(context.trainer), "precision": precision},
        tags={"machine": machine(context.trainer), "reproduce": "make claims"},
        identity=load_identity(context.tokens),
    )
    with runs.running(client, run_id):
        points = []
        for turn in range(-2, ROUNDS):  # the first two build the kernels
            for name, classifier in classifiers.items():
                seconds = _step(classifier, models[name], device, precision)
                if turn >= 0:
                    points.append(Metric(f"{name}_step_seconds", seconds, 0, turn))
        client.log_batch(run_id, metrics=points)
        client.set_tag(run_id, KEY, key)
    return run_id


def _step(classifier: Classifier, model: ModelParams, device: torch.device, precision: str) -> float:
    ids = torch.randint(2, model.vocab_size, (model.max_length, model.batch_size), device=device)
    lengths = torch.full((model.batch_size,), model.max_length, device=device)
    labels = torch.ones(model.batch_size, device=device)
    began = time.perf_counter()
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
        logits = classifier(ids, lengths)
    F.binary_cross_entropy_with_logits(logits.float(), labels).backward()
    if device.type == "cuda":
        torch.cuda.synchronize()
    classifier.zero_grad()
    return time.perf_counter() - began


def step_seconds(client: MlflowClient, run_id: str, name: str) -> list[float]:
    """A step's seconds by round."""
    history = client.get_metric_history(run_id, f"{name}_step_seconds")
    return [point.value for point in sorted(history, key=lambda point: point.step)]
