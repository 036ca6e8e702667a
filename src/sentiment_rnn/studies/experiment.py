"""Trainings that many tables share: each is run once, and found again in MLflow by what it is made of."""

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

KEY = "experiment.key"  # tag of a run that has all its figures
FOLDER = "experiment.folder"  # tag of every run: the folder it was started from


class Context(NamedTuple):
    """Where experiments run: Trainer's parameters, the tokenized reviews at hand, a folder for what waits.

    `purpose` ends the name of MLflow's experiment, and is the command: `claims` of `make claims`.
    """

    trainer: TrainerParams
    tokens: Path
    work: Path
    purpose: str

    def experiment_name(self) -> str:
        """MLflow's experiment for these reviews."""
        return f"{load_identity(self.tokens)['dataset']}-{self.purpose}"

    def folder(self) -> str:
        """This clone, on this machine."""
        return f"{socket.gethostname()}:{self.work.resolve()}"

    def experiment_id(self, client: MlflowClient) -> str:
        """Of `experiment_name`."""
        return experiment(client, self.experiment_name())


class CachedExperiment(BaseModel, ABC):
    """A training with one seed.

    Attributes:
        name: how the report calls it; it decides nothing.
        model: the architecture and how it is trained.
        seed: this training's.
    """

    model_config = ConfigDict(frozen=True)
    headline: ClassVar[str] = "test_accuracy"  # the metric that is said when it has ended

    name: str
    model: ModelParams
    seed: int

    @abstractmethod
    def run(self, context: Context) -> str:
        """Train and score.

        Returns:
            The id of its MLflow run.
        """

    def describe(self, context: Context) -> dict[str, Any]:
        """All that decides its figures, but for the data."""
        values = self.model_dump(exclude={"name", "model"}) | self.model.seed_independent()
        return values | {"precision": resolve_precision(context.trainer)}

    def tokens(self, context: Context) -> Path:
        """The folder of what it reads."""
        return context.tokens

    def key(self, context: Context) -> str:
        """The same for the same model, training and data."""
        what = [self.describe(context), load_identity(self.tokens(context))]
        return hashlib.sha256(json.dumps(what, sort_keys=True).encode()).hexdigest()[:32]

    def start(self, client: MlflowClient, context: Context, name: str | None = None) -> str:
        """Make its MLflow run, and give its id; `name` where it is a step on the way to the experiment."""
        name = name or self.name
        return runs.start(
            client,
            context.experiment_name(),
            f"{name}, seed {self.seed}",
            params=self.describe(context),
            tags={
                "architecture": name.split(",")[0],
                "experiment": name,
                "seed": str(self.seed),
                "machine": machine(context.trainer),
                "reproduce": f"make {context.purpose}",
                FOLDER: context.folder(),
            },
            identity=load_identity(self.tokens(context)),
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
    """Mark the runs that killed workers of this folder left; to be called while none of them lives."""
    for left in client.search_runs([context.experiment_id(client)], "status = 'RUNNING'"):
        if left.data.tags.get(FOLDER) == context.folder():  # other clones may share the store
            runs.mark_killed(client, left.info.run_id)
