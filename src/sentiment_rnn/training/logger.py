"""Lightning's MLflow logger, with fewer writes."""

import time
from collections.abc import Mapping

from mlflow.entities import Metric
from pytorch_lightning.loggers import MLFlowLogger
from pytorch_lightning.utilities import rank_zero_only

from sentiment_rnn.tracking.store import tracking_uri

MAX_DELAY = 10.0  # seconds before buffered metrics are written
MAX_BUFFERED = 500  # metrics; MLflow's limit per request is 1,000


class RunLogger(MLFlowLogger):
    """Logs into an existing run; metrics of steps are buffered, metrics of epochs are written at once.

    A write is a commit or an HTTP request, for one metric as for a hundred. Metrics that a kill loses belong to an
    epoch that is repeated by the resumed training.

    Args:
        run_id: of the MLflow run.
    """

    def __init__(self, run_id: str) -> None:
        super().__init__(tracking_uri=tracking_uri(), run_id=run_id)
        self.buffer: list[Metric] = []
        self.written = time.monotonic()

    @rank_zero_only
    def log_metrics(self, metrics: Mapping[str, float], step: int | None = None) -> None:
        now = int(time.time() * 1000)
        self.buffer += [Metric(name, value, now, step or 0) for name, value in metrics.items()]
        of_epoch = not any(name.endswith("_step") for name in metrics)
        if of_epoch or time.monotonic() - self.written > MAX_DELAY or len(self.buffer) > MAX_BUFFERED:
            self.write()

    def write(self) -> None:
        """Write the buffer to the store."""
        self.experiment.log_batch(self.run_id, metrics=self.buffer)
        self.buffer, self.written = [], time.monotonic()

    @rank_zero_only
    def finalize(self, status: str = "success") -> None:
        """Write what is buffered. The run is ended by the process that started it, which may know of a later death."""
        if self.buffer:
            self.write()
