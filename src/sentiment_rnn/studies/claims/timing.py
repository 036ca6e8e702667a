"""Cost of a training step of each architecture: seconds and memory, on every device at hand."""

import hashlib
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

import torch
import torch.nn.functional as F
from mlflow import MlflowClient
from mlflow.entities import Metric
from torch import Tensor

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.studies.claims.accuracy import EMBEDDING
from sentiment_rnn.studies.experiment import KEY, Context, finished_runs
from sentiment_rnn.tracking import runs
from sentiment_rnn.training.devices import cores, gpus, machine

ROUNDS = 12
WARM_UP = 2  # rounds that build the kernels
# suffixes of metrics
SECONDS, TOKENS, WEIGHTS, ACTIVATIONS = "_step_seconds", "_step_tokens", "_weights", "_activation_mb"


class Setting(NamedTuple):
    """A device and how it computes.

    Attributes:
        device: torch's.
        name: of the device.
        precision: `32-true` or `bf16-mixed`.
        threads: of the CPU.
    """

    device: torch.device
    name: str
    precision: str
    threads: int

    def label(self) -> str:
        """In reports."""
        threads = f", {self.threads} thread{'s' * (self.threads > 1)}" if self.device.type == "cpu" else ""
        return f"{self.name}{threads}, {'bfloat16' if self.precision == 'bf16-mixed' else 'float32'}"


def settings(params: TrainerParams) -> list[Setting]:
    """Every setting that this machine has: the CPU with one and all threads, in both precisions, and a GPU."""
    on_cpu = params.model_copy(update={"accelerator": "cpu", "devices": 1})
    name = machine(on_cpu).split(" of ", 1)[-1]
    precisions = ["32-true", *(["bf16-mixed"] if torch.cpu.get_capabilities().get("avx512_bf16") else [])]
    found = [
        Setting(torch.device("cpu"), name, precision, threads)
        for threads in dict.fromkeys((1, min(2, cores())))
        for precision in precisions
    ]
    if gpus(params):
        device = first_device(params)
        found.append(Setting(device, torch.cuda.get_device_name(device), "32-true", 1))
    return found


def measure_steps(client: MlflowClient, models: dict[str, ModelParams], context: Context, setting: Setting) -> None:
    """Time a step (forward, backward) of every model on a full batch of random tokens, in alternation.

    Its MLflow run has for each architecture the metrics `NAME_step_seconds`, whose step is the round,
    `NAME_step_tokens`, `NAME_weights` and `NAME_activation_mb`. Nothing is done if there is such a run of the same kind
    of machine.
    """
    key = cost_key(models, setting)
    if key in finished_runs(client, context):
        return
    print(f"claims: timing a training step of each architecture: {setting.label()}", flush=True)
    classifiers = {name: Classifier(**model.architecture()).to(setting.device) for name, model in models.items()}
    run_id = runs.start(
        client,
        context.experiment_name(),
        f"cost, {setting.label()}",
        params={"machine": setting.name, "precision": setting.precision, "threads": setting.threads},
        tags={
            "machine": setting.name, "experiment": f"cost, {setting.label()}", "seed": "0", "reproduce": "make claims",
        },
        identity=load_identity(context.tokens),
    )  # fmt: skip
    with runs.running(client, run_id), _threads(setting.threads):
        metrics = []
        for name, classifier in classifiers.items():
            weights = sum(values.numel() for key, values in classifier.named_parameters() if key != EMBEDDING)
            saved = activation_bytes(classifier, models[name], setting) / 1e6
            tokens = models[name].max_length * models[name].batch_size
            values = {TOKENS: tokens, WEIGHTS: weights, ACTIVATIONS: saved}
            metrics += [Metric(name + suffix, value, 0, 0) for suffix, value in values.items()]
        for step in range(-WARM_UP, ROUNDS):
            for name, classifier in classifiers.items():
                seconds = _step(classifier, models[name], setting)
                if step >= 0:
                    metrics.append(Metric(name + SECONDS, seconds, 0, step))
        client.log_batch(run_id, metrics=metrics)
        client.set_tag(run_id, KEY, key)


def cost_key(models: dict[str, ModelParams], setting: Setting) -> str:
    """The key of the measurement of these models in a setting."""
    return f"{sizes_key(models)} {setting.label()}"


def sizes_key(models: dict[str, ModelParams]) -> str:
    """The beginning of the keys of all measurements of these models: a hash of their sizes."""
    sizes = {name: [model.architecture(), model.max_length, model.batch_size] for name, model in models.items()}
    return f"cost {hashlib.sha256(json.dumps(sizes, sort_keys=True).encode()).hexdigest()[:24]}"


def activation_bytes(classifier: Classifier, model: ModelParams, setting: Setting) -> int:
    """Bytes of the tensors that the forward pass saves for the backward pass, without the weights."""
    weights = {values.untyped_storage().data_ptr() for values in classifier.parameters()}
    saved: dict[int, int] = {}
    alive = []  # a freed storage's address may be used again

    def note(values: Tensor) -> Tensor:
        storage = values.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage.nbytes()
            alive.append(values)
        return values

    with torch.autograd.graph.saved_tensors_hooks(note, lambda values: values):
        _loss(classifier, model, setting)
    return sum(saved.values())


def first_device(params: TrainerParams) -> torch.device:
    """The first of the devices that `trainer` names."""
    if not gpus(params):
        return torch.device("cpu")
    return torch.device("cuda", params.devices[0] if isinstance(params.devices, list) else 0)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _loss(classifier: Classifier, model: ModelParams, setting: Setting) -> Tensor:
    device = setting.device
    ids = torch.randint(2, model.vocab_size, (model.max_length, model.batch_size), device=device)
    lengths = torch.full((model.batch_size,), model.max_length, device=device)
    labels = torch.ones(model.batch_size, device=device)
    with torch.autocast(device.type, torch.bfloat16, enabled=setting.precision == "bf16-mixed"):
        logits = classifier(ids, lengths)
    return F.binary_cross_entropy_with_logits(logits.float(), labels)


def _step(classifier: Classifier, model: ModelParams, setting: Setting) -> float:
    _synchronize(setting.device)
    start = time.perf_counter()
    _loss(classifier, model, setting).backward()
    _synchronize(setting.device)
    seconds = time.perf_counter() - start
    classifier.zero_grad()
    return seconds


def _synchronize(device: torch.device) -> None:
    """CUDA kernels run asynchronously: wait for them."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
