"""The project's training with all that it writes (MLflow, system metrics, checkpoints), and a clock on it.

    python -m benchmarks.full_training bilstm_keras [--devices 2] [--fraction 0.2] [--epochs 2]

prints, as JSON, the seconds of each epoch, and the memory of this process after each epoch and at its peak, in MiB.
"""

import argparse
import json
import os
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytorch_lightning as pl

from benchmarks.measure import peak_megabytes
from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import ModelParams
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.callbacks import SystemMetrics
from sentiment_rnn.training.fit import FitResult, fit
from sentiment_rnn.training.logger import RunLogger
from sentiment_rnn.training.ranks import is_rank_zero

TOKENS = Path("data/tokens")


class Clock(pl.Callback):
    """Seconds of each epoch: steps, logging and checkpoints. Evaluation is limited to one batch and not included."""

    def __init__(self) -> None:
        self.epochs: list[float] = []
        self.megabytes: list[int] = []

    def setup(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        trainer.limit_val_batches = 1

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if self.epochs:
            self.pause()  # here, because Lightning logs and saves an epoch after its last hook
        self.epochs.append(0.0)
        self.resume()

    def on_validation_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.pause()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.resume()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.megabytes.append(psutil.Process().memory_info().rss >> 20)

    def on_train_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.pause()

    def pause(self) -> None:
        self.epochs[-1] += time.perf_counter() - self.began

    def resume(self) -> None:
        self.began = time.perf_counter()


@contextmanager
def temporary_store() -> Iterator[Path]:
    """A folder on the project's disk with a new MLflow database, the tracking store for the block."""
    Path("work").mkdir(exist_ok=True)
    before = os.environ.get("MLFLOW_TRACKING_URI")
    with tempfile.TemporaryDirectory(dir="work") as name:
        folder = Path(name).absolute()
        os.environ["MLFLOW_TRACKING_URI"] = f"sqlite:///{folder}/mlflow.db"
        try:
            connect()
            yield folder
        finally:
            if before is None:
                del os.environ["MLFLOW_TRACKING_URI"]
            else:
                os.environ["MLFLOW_TRACKING_URI"] = before


def train(
    folder: Path,
    model: ModelParams,
    callbacks: Sequence[pl.Callback],
    fraction: float = 1.0,
    devices: int = 1,
    seed: int = 1,
    accelerator: str = "cpu",
) -> FitResult | None:
    """Train as the stage train does.

    Args:
        folder: that of `temporary_store`, for the checkpoints.
        model: its parameters.
        callbacks: further ones.
        fraction: of the training reviews.
        devices: number of processes (DDP).
        seed: of the training.
        accelerator: Trainer's.
    """
    trainer = params.load().trainer.model_copy(update={"accelerator": accelerator, "devices": devices})
    logger: RunLogger | bool = False
    if is_rank_zero():
        identity = load_identity(TOKENS)
        run_id = runs.start(connect(), "benchmark", "benchmark", params={}, tags={}, identity=identity)
        logger, callbacks = RunLogger(run_id), [SystemMetrics(run_id), *callbacks]
    with tempfile.TemporaryDirectory(dir=folder) as checkpoints:
        return fit(
            "benchmark",
            model,
            trainer,
            seed,
            tokens=TOKENS,
            checkpoints=Path(checkpoints),
            logger=logger,
            callbacks=callbacks,
            train_fraction=fraction,
        )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.full_training", description=__doc__)
    parser.add_argument("architecture")
    parser.add_argument("--devices", type=int, default=1)
    parser.add_argument("--fraction", type=float, default=1.0)
    parser.add_argument("--epochs", type=int, default=2)
    arguments = parser.parse_args()
    changes = {"max_epochs": arguments.epochs, "patience": arguments.epochs}
    model = params.load().model_of(arguments.architecture).model_copy(update=changes)
    clock = Clock()
    with temporary_store() as folder:
        trained = train(folder, model, [clock], arguments.fraction, arguments.devices)
    if trained:
        found = {"epochs": clock.epochs, "megabytes": clock.megabytes, "peak_megabytes": peak_megabytes()}
        print(json.dumps(found))


if __name__ == "__main__":
    main()
