"""Trainings on tasks that need memory: until they are solved, or for a given number of steps."""

import copy
from collections.abc import Iterator
from typing import Any, ClassVar

import torch
from mlflow import MlflowClient
from mlflow.entities import Metric
from torch import Generator, nn

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import ModelParams
from sentiment_rnn.studies.claims import corpus
from sentiment_rnn.studies.claims.gradients import gradient_norms
from sentiment_rnn.studies.claims.network import Network
from sentiment_rnn.studies.claims.tasks import Sequences, Task, TaskName, make_task
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri

EVALUATE_EVERY = 100  # steps
HELD_OUT = 1_000  # sequences
USED = (
    "cell", "hidden_size", "embedding_size", "initializer", "chrono_init", "learning_rate", "batch_size",
    "gradient_clip",
)  # fmt: skip


class MemoryTraining(CachedExperiment):
    """A training with one seed, which ends when the error on held-out sequences shows the task solved.

    Attributes:
        task: its name.
        length: of the task.
        max_steps: after which it counts as not solved.
        reviews: of the long-range task.
    """

    headline: ClassVar[str] = "error"

    task: TaskName
    length: int
    max_steps: int
    reviews: int = 0

    def inputs(self, context: Context) -> dict[str, Any]:
        """All that decides its metrics: it is in float32 on the CPU."""
        own = self.model_dump(include={"seed", "task", "length", "max_steps", "reviews"})
        return own | self.model.model_dump(include=set(USED))

    def identity(self, context: Context) -> dict[str, Any]:
        """The task; the corpus of the long-range task."""
        if self.task == "long-range":
            return load_identity(corpus.tokenize(context.work, self.length, self.reviews))
        return {"dataset": self.task, "content_hashes": {"train": "sampled without end"}}

    def run(self, context: Context) -> str:
        """Train, on the CPU.

        Returns:
            The id of its MLflow run: metrics solved (0 or 1), steps, error (of held-out sequences; its history is that
            of the training), and gradient_norm_initial and gradient_norm, whose step counts the steps to the end.
        """
        client = MlflowClient(tracking_uri(), tracking_uri())
        task = make_task(self.task, self.length, context.work, self.reviews)
        held_out = task.sample(HELD_OUT, Generator().manual_seed(10_000 + self.seed), "held-out")
        torch.manual_seed(self.seed)
        network = Network(task, self.model)
        run_id = self.start(client, context.on_cpu())
        with runs.running(client, run_id):
            _log_gradients(client, run_id, "gradient_norm_initial", network, held_out)
            steps, error = 0, task.chance
            client.log_metric(run_id, "error", error, step=0)
            for steps, error in train(network, task, self.model, self.seed, self.max_steps, held_out):
                client.log_metric(run_id, "error", error, step=steps)
                if error < task.solved:
                    break
            _log_gradients(client, run_id, "gradient_norm", network, held_out)
            client.log_metric(run_id, "steps", steps)
            client.log_metric(run_id, "solved", float(error < task.solved))
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


def train(
    network: Network, task: Task, model: ModelParams, seed: int, max_steps: int, held_out: Sequences
) -> Iterator[tuple[int, float]]:
    """Train with Adam; every `EVALUATE_EVERY` steps yield the number of steps and the error on `held_out`."""
    generator = Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=model.learning_rate)
    for step in range(1, max_steps + 1):
        batch = task.sample(model.batch_size, generator, "train")
        optimizer.zero_grad()
        task.loss(network(batch), batch.targets).backward()
        if model.gradient_clip is not None:
            nn.utils.clip_grad_norm_(network.parameters(), model.gradient_clip)
        optimizer.step()
        if step % EVALUATE_EVERY == 0 or step == max_steps:
            with torch.no_grad():
                yield step, float(task.error(network(held_out), held_out.targets))


def _log_gradients(client: MlflowClient, run_id: str, name: str, network: Network, sequences: Sequences) -> None:
    norms = gradient_norms(copy.deepcopy(network).double(), sequences)
    client.log_batch(run_id, metrics=[Metric(name, norm, 0, step) for step, norm in norms.items()])
