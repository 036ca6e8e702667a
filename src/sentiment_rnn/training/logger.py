"""Lightning's MLflow logger, with fewer writes."""

import time
from collections.abc import Mapping

from mlflow.entities import Metric
from pytorch_lightning.loggers import MLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from sentiment_rnn.tracking.store import tracking_uri

WAIT = 10.0  # seconds that a run's curve may be behind
MANY = 500  # points: MLflow takes 1,000 at once


class RunLogger(MLFlowLogger):
    """Logs into a run that is there: points of the training curve wait for one another, an epoch's metrics do not.

    A write is a commit, or a request to a server, of one point as of a hundred. What a kill loses belongs to an epoch
    that is trained again.

    Args:
        run_id: MLflow's.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(tracking_uri=tracking_uri(), run_id=run_id)
        self.waiting: list[Metric] = []
        self.written = time.monotonic()

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        now = int(time.time() * 1000)
        self.waiting += [Metric(name, value, now, step or 0) for name, value in metrics.items()]
        of_epoch = not any(name.endswith("_step") for name in metrics)
        if of_epoch or time.monotonic() - self.written > WAIT or len(self.waiting) > MANY:
            self.write()

    def write(self) -> None:
        """Bring what waits to the store."""
        self.experiment.log_batch(self.run_id, metrics=self.waiting)
        self.waiting, self.written = [], time.monotonic()

    @rank_zero_only
    def finalize(self, status: str = "success") -> None:
        if self.waiting:
            self.write()
        super().finalize(status)
