"""Seconds of a training step of each architecture, alternately on one device."""

import hashlib
import json
import time

import torch
import torch.nn.functional as F
from mlflow import MlflowClient
from mlflow.entities import Metric

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.studies.experiment import KEY, Context, finished_runs
from sentiment_rnn.tracking import runs
from sentiment_rnn.training.devices import gpus, machine, resolve_precision

ROUNDS = 12
WARM_UP = 2  # rounds that build the kernels


def measure_steps(client: MlflowClient, models: dict[str, ModelParams], context: Context) -> str:
    """Time a step (forward, backward) of every model on a full batch of random tokens, in alternation.

    Returns:
        The id of its MLflow run: for each architecture a metric `NAME_step_seconds`, whose step is the round. The run
        of an earlier measurement on the same kind of machine is returned as it is.
    """
    device, precision = first_device(context.trainer), resolve_precision(context.trainer)
    machine_name = torch.cuda.get_device_name(device) if device.type == "cuda" else machine(context.trainer)
    sizes = {name: [model.architecture(), model.max_length, model.batch_size] for name, model in models.items()}
    inputs = json.dumps([sizes, machine_name, precision], sort_keys=True)
    key = f"timing {hashlib.sha256(inputs.encode()).hexdigest()[:24]}"
    if run := finished_runs(client, context).get(key):
        return str(run.info.run_id)
    classifiers = {name: Classifier(**model.architecture()).to(device) for name, model in models.items()}
    run_id = runs.start(
        client,
        context.experiment_name(),
        "timing",
        params={"machine": machine_name, "precision": precision},
        tags={"machine": machine_name, "reproduce": "make claims"},
        identity=load_identity(context.tokens),
    )
    with runs.running(client, run_id):
        metrics = []
        for step in range(-WARM_UP, ROUNDS):
            for name, classifier in classifiers.items():
                seconds = _step(classifier, models[name], device, precision)
                if step >= 0:
                    metrics.append(Metric(f"{name}_step_seconds", seconds, 0, step))
        client.log_batch(run_id, metrics=metrics)
        client.set_tag(run_id, KEY, key)
    return run_id


def first_device(params: TrainerParams) -> torch.device:
    """The first of the devices that `trainer` names."""
    if not gpus(params):
        return torch.device("cpu")
    return torch.device("cuda", params.devices[0] if isinstance(params.devices, list) else 0)


def _step(classifier: Classifier, model: ModelParams, device: torch.device, precision: str) -> float:
    ids = torch.randint(2, model.vocab_size, (model.max_length, model.batch_size), device=device)
    lengths = torch.full((model.batch_size,), model.max_length, device=device)
    labels = torch.ones(model.batch_size, device=device)
    _synchronize(device)
    start = time.perf_counter()
    with torch.autocast(device.type, torch.bfloat16, enabled=precision == "bf16-mixed"):
        logits = classifier(ids, lengths)
    F.binary_cross_entropy_with_logits(logits.float(), labels).backward()
    _synchronize(device)
    seconds = time.perf_counter() - start
    classifier.zero_grad()
    return seconds


def _synchronize(device: torch.device) -> None:
    """CUDA kernels run asynchronously: wait for them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)


def step_seconds(client: MlflowClient, run_id: str, name: str) -> list[float]:
    """An architecture's seconds per step, by round."""
    history = client.get_metric_history(run_id, f"{name}_step_seconds")
    return [metric.value for metric in sorted(history, key=lambda metric: metric.step)]
