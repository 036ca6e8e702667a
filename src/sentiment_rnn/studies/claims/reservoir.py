"""Memory capacity of an echo state network (Jaeger, 2001, "Short term memory in echo state networks")."""

from typing import Any, ClassVar

import numpy as np
import torch
from mlflow import MlflowClient

from sentiment_rnn.models.cells import EchoState
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri

STEPS, WASH_OUT = 4_000, 500
RIDGE = 1e-8


class CapacityMeasurement(CachedExperiment):
    """The memory capacity of random recurrent weights with one seed; nothing is trained but linear readouts."""

    headline: ClassVar[str] = "memory_capacity"

    def inputs(self, context: Context) -> dict[str, Any]:
        """All that decides its metrics: it is in float64 on the CPU."""
        return {"seed": self.seed, "hidden_size": self.model.hidden_size} | self.model.echo_state.model_dump()

    def identity(self, context: Context) -> dict[str, Any]:
        """Random numbers."""
        return {"dataset": "memory-capacity", "content_hashes": {"train": "sampled without end"}}

    def run(self, context: Context) -> str:
        """Measure; the id of its MLflow run: metric memory_capacity, in steps."""
        client = MlflowClient(tracking_uri(), tracking_uri())
        run_id = self.start(client, context.on_cpu())
        with runs.running(client, run_id):
            torch.manual_seed(self.seed)
            cell = EchoState(1, self.model.hidden_size, **self.model.echo_state.model_dump()).double()
            inputs = torch.rand(STEPS, dtype=torch.float64) * 2 - 1
            client.log_metric(run_id, "memory_capacity", memory_capacity(cell, inputs))
            client.set_tag(run_id, KEY, self.key(context))
        return run_id


def memory_capacity(cell: EchoState, inputs: torch.Tensor) -> float:
    """Sum over delays of the squared correlation between the delayed input and its best linear readout.

    At most the number of units. Readouts are fitted to the first half of the steps and evaluated on the second.

    Args:
        cell: of one input.
        inputs: `(T,)`, independent random numbers.
    """
    states = cell(inputs[:, None, None])[0][:, 0].numpy()
    delays = 2 * cell.hidden_size
    delayed = np.stack([np.roll(inputs.numpy(), delay) for delay in range(1, delays + 1)], axis=1)
    start = max(WASH_OUT, delays)
    middle = (start + len(states)) // 2
    fitted, evaluated = slice(start, middle), slice(middle, None)
    gram = states[fitted].T @ states[fitted] + RIDGE * np.eye(cell.hidden_size)
    readout = states[evaluated] @ np.linalg.solve(gram, states[fitted].T @ delayed[fitted])
    target = delayed[evaluated]
    readout, target = readout - readout.mean(0), target - target.mean(0)
    power = (readout**2).sum(0) * (target**2).sum(0)
    return float(((readout * target).sum(0) ** 2 / np.maximum(power, 1e-300)).sum())
