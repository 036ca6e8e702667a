"""Callbacks: the history of a fit, the machine's metrics, checkpoints."""

import time
from pathlib import Path
from typing import Any

import pytorch_lightning as pl
import torch
from mlflow.system_metrics.system_metrics_monitor import SystemMetricsMonitor
from pytorch_lightning.callbacks import ModelCheckpoint


class History(pl.Callback):
    """One row per epoch with its metrics, training seconds and tokens per second; also printed.

    It is saved in the checkpoint, so that a resumed training has one complete history.

    Args:
        name: first word of the printed line.
        tokens: number of tokens in an epoch.
    """

    def __init__(self, name: str, tokens: int) -> None:
        self.name = name
        self.tokens = tokens
        self.rows: list[dict[str, float]] = []

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.started = self.last_step_ended = time.perf_counter()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        if trainer.is_last_batch and torch.cuda.is_available():
            torch.cuda.synchronize()  # kernels run asynchronously
        self.last_step_ended = time.perf_counter()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        seconds = self.last_step_ended - self.started  # without validation
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
            metrics = ", ".join(
                f"{name.replace('_', ' ')} {row[name]:.4f}"
                for name in sorted(row)
                if name.endswith(("_loss", "_accuracy"))
            )
            print(
                f"{self.name}: epoch {row['epoch']}/{trainer.max_epochs} in {seconds:.1f} s: {metrics}",
                flush=True,
            )

    def state_dict(self) -> dict[str, Any]:
        return {"rows": self.rows}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.rows = state_dict["rows"]


class SystemMetrics(pl.Callback):
    """Samples the use of CPU, memory and GPUs into the MLflow run during training."""

    def __init__(self, run_id: str) -> None:
        self.run_id = run_id

    def on_fit_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        if trainer.is_global_zero:
            self.monitor = SystemMetricsMonitor(self.run_id, resume_logging=True)
            self.monitor.start()

    def teardown(self, trainer: pl.Trainer, module: pl.LightningModule, stage: str) -> None:
        if trainer.is_global_zero and hasattr(self, "monitor"):
            self.monitor.finish()


class MovableCheckpoint(ModelCheckpoint):
    """A ModelCheckpoint whose folder may have been moved or copied since the checkpoint that is resumed from.

    Lightning forgets the best score then, and replaces the best checkpoint by that of the next epoch.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        def here(path: str) -> str:
            return str(Path(self.dirpath or "", Path(path).name)) if path else path

        paths = {key: here(state_dict[key]) for key in ("best_model_path", "kth_best_model_path", "last_model_path")}
        best = {here(path): score for path, score in state_dict["best_k_models"].items()}
        super().load_state_dict(state_dict | paths | {"best_k_models": best, "dirpath": self.dirpath})
