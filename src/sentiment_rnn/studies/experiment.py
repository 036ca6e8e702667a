"""Trainings that several comparisons share: each is run once, and found in MLflow by a hash of its inputs."""

import hashlib
import json
import socket
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run
from pydantic import BaseModel, ConfigDict

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import experiment
from sentiment_rnn.training.devices import machine, resolve_precision

KEY = "experiment.key"  # tag of a run that has all its metrics
FOLDER = "experiment.folder"  # tag of every run: the folder it was started from


class Context(NamedTuple):
    """Where experiments run.

    Attributes:
        trainer: Trainer's parameters.
        tokens: folder of the tokenize stage.
        work: folder for caches and logs.
        purpose: last part of the name of MLflow's experiment, and the command: `claims` of `make claims`.
    """

    trainer: TrainerParams
    tokens: Path
    work: Path
    purpose: str

    def on_cpu(self) -> "Context":
        """The same on the CPU."""
        return self._replace(trainer=self.trainer.model_copy(update={"accelerator": "cpu"}))

    def experiment_name(self) -> str:
        """The name of MLflow's experiment for this data set."""
        return f"{load_identity(self.tokens)['dataset']}-{self.purpose}"

    def folder(self) -> str:
        """This clone on this machine."""
        return f"{socket.gethostname()}:{self.work.resolve()}"

    def experiment_id(self, client: MlflowClient) -> str:
        """The id of MLflow's experiment."""
        return experiment(client, self.experiment_name())


class CachedExperiment(BaseModel, ABC):
    """A training with one seed.

    Attributes:
        name: in the report; it is no input of the training.
        model: the architecture and its training parameters.
        seed: this training's.
    """

    model_config = ConfigDict(frozen=True)
    headline: ClassVar[str] = "test_accuracy"  # the metric that is printed at the end

    name: str
    model: ModelParams
    seed: int

    @abstractmethod
    def run(self, context: Context) -> str:
        """Train and evaluate.

        Args:
            context: where it runs; its trainer has one device.

        Returns:
            The id of its MLflow run.
        """

    def inputs(self, context: Context) -> dict[str, Any]:
        """All that decides its metrics, except the data."""
        values = self.model_dump(exclude={"name", "model"}) | self.model.seed_independent()
        return values | {"precision": resolve_precision(context.trainer)}

    def identity(self, context: Context) -> dict[str, Any]:
        """The identity of its data, see `data.store.load_identity`."""
        return load_identity(context.tokens)

    def key(self, context: Context) -> str:
        """A hash of its inputs and its data."""
        inputs = [self.inputs(context), self.identity(context)]
        return hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:32]

    def start(self, client: MlflowClient, context: Context, name: str | None = None) -> str:
        """Create its MLflow run, or with a `name` that of an intermediate step; its id."""
        name = name or self.name
        return runs.start(
            client,
            context.experiment_name(),
            f"{name}, seed {self.seed}",
            params=self.inputs(context),
            tags={
                "architecture": name.split(",")[0],
                "experiment": name,
                "seed": str(self.seed),
                "machine": machine(context.trainer),
                "reproduce": f"make {context.purpose}",
                FOLDER: context.folder(),
            },
            identity=self.identity(context),
        )


def finished_runs(client: MlflowClient, context: Context) -> dict[str, Run]:
    """The finished runs by their experiments' keys."""
    found: dict[str, Run] = {}
    token = None
    while True:
        page = client.search_runs([context.experiment_id(client)], "status = 'FINISHED'", page_token=token)
        found |= {run.data.tags[KEY]: run for run in page if KEY in run.data.tags}
        if not (token := page.token):
            return found


def mark_killed(client: MlflowClient, context: Context) -> None:
    """Mark the open runs of this folder as killed; to be called while no worker of it is alive."""
    for run in client.search_runs([context.experiment_id(client)], "status = 'RUNNING'"):
        if run.data.tags.get(FOLDER) == context.folder():  # other clones may share the store
            runs.mark_killed(client, run.info.run_id)
