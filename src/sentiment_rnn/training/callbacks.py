"""What is noted while a model trains."""

import time
from typing import Any

import pytorch_lightning as pl
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from pytorch_lightning.callbacks import EMAWeightAveraging


class History(pl.Callback):
    """A row an epoch: the epoch's metrics, its training seconds, its tokens a second; said on one line.

    It travels in the checkpoint, so that a run that was killed and taken up again has one whole history.

    Args:
        name: how the line begins.
        tokens: tokens the model reads in an epoch.
    """

    def __init__(self, name: str, tokens: int) -> None:
        self.name = name
        self.tokens = tokens
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started = self.stepped = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.stepped = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        seconds = self.stepped - self.started  # validation is not in it
        row = {name: float(value) for name, value in trainer.callback_metrics.items() if not name.endswith("_step")}
        row |= {
            "epoch": trainer.current_epoch + 1,
            "epoch_seconds": seconds,
            "tokens_per_second": self.tokens / seconds,
        }
        self.rows.append(row)
        module.log_dict(
            {name: row[name] for name in ("epoch_seconds", "tokens_per_second")},
            batch_size=1,
            rank_zero_only=True,
        )
        if trainer.is_global_zero:
            scores = ", ".join(
                f"{name.replace('_', ' ')} {row[name]:.4f}"
                for name in sorted(row)
                if name.endswith(("_loss", "_accuracy"))
            )
            print(
                f"{self.name}: epoch {row['epoch']}/{trainer.max_epochs} in {seconds:.1f} s: {scores}",
                flush=True,
            )

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


class RunningAverage(EMAWeightAveraging):
    """An exponential average of the weights, kept where they are: Lightning asks for the device before they move."""

    def setup(self, trainer: pl.Trainer, pl_module: pl.LightningModule, stage: str) -> None:
        self._device = trainer.strategy.root_device
        super().setup(trainer, pl_module, stage)


class SystemMetrics(pl.Callback):
    """The machine's processors, memory and GPUs, sampled into the MLflow run while it trains."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.monitor = SystemMetricsMonitor(self.run_id, resume_logging=True)
            self.monitor.start()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if trainer.is_global_zero and hasattr(self, "monitor"):
            self.monitor.finish()
