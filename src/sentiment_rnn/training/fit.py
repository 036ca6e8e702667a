"""One fit, the same for `train` and for every trial of `search`: module, data, Lightning's Trainer."""

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, ModelCheckpoint
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities import rank_zero_only
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.datamodule import PROTOCOLS, ReviewsDataModule
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.training.callbacks import History, RunningAverage
from sentiment_rnn.training.devices import resolve_devices, resolve_nodes, resolve_precision
from sentiment_rnn.training.evolution import EvolutionModule
from sentiment_rnn.training.module import SentimentModule

LOG_EVERY = 20  # steps between points of the training curve

# what is meant, or not ours to mend: batches are made faster than they are trained on (data.datamodule), and a small
# corpus has few; `checkpoints` may hold a killed run's; torch moved a class that Lightning still asks for
for message in ("does not have many workers", "number of training batches", "exists and is not empty", "LeafSpec"):
    warnings.filterwarnings("ignore", f".*{message}.*")
# History says one line an epoch; which devices there are and how to buy a logger is said too often otherwise
for noisy in ("pytorch_lightning", "mlflow.system_metrics"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


class Fit(NamedTuple):
    """A trained classifier in evaluation mode, the rows of its `History`, its data."""

    model: Classifier
    history: list[dict[str, float]]
    data: ReviewsDataModule


def fit(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: str | Path,
    checkpoints: Path | None,
    logger: Logger | bool,
    callbacks: Sequence[pl.Callback] = (),
    train_fraction: float = 1.0,
    start: Mapping[str, Tensor] | None = None,
    labels: np.ndarray | None = None,
) -> Fit | None:
    """Train one model, going on from `checkpoints/last.ckpt` where there is one.

    Args:
        name: how progress is called.
        model: architecture and training parameters.
        params: Trainer's.
        seed: of the initial values, the order of the batches and dropout.
        tokens: folder of the tokenize stage.
        checkpoints: folder for `last.ckpt`, `best.ckpt` and, at the end, `history.json`; outlives a kill. None: no
            checkpoint is written, and the model is as its last epoch left it.
        logger: where metrics go; False: nowhere.
        callbacks: further ones.
        train_fraction: share of the training reviews.
        start: weights that take the place of some of the initial ones, by name.
        labels: `(N,)` from 0 to 1, take the place of those of the training reviews.

    Returns:
        The fit; under several processes, None in all but the first.

    Raises:
        UserError: there are not as many labels as reviews, the devices are not there, or a checkpoint is broken.
    """
    encoding = Encoding(**model.encoding())
    data = ReviewsDataModule(tokens, encoding, model.batch_size, model.protocol, seed, train_fraction, labels)
    _, scored, scored_chooses = PROTOCOLS[model.protocol]
    torch.manual_seed(seed)
    kind = EvolutionModule if model.optimizer == "cma_es" else SentimentModule
    module = kind(
        model.architecture(),
        scored,
        model.learning_rate,
        model.schedule,
        model.adam_epsilon,
        model.gradient_clip,
        seed,
        model.trained,
        model.label_smoothing,
        model.adversarial,
    )
    if start:
        module.model.load_state_dict(dict(module.model.state_dict()) | dict(start))
    history = History(name, int(np.minimum(data.train.lengths, encoding.max_length).sum()))
    watchers: list[pl.Callback] = [history, *callbacks]
    if model.ema is not None:
        watchers.append(RunningAverage(decay=model.ema))
    if checkpoints:
        # two, because save_last writes only where the best is written too; `last` after `best`, whose state it keeps
        kept: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
        watchers.append(ModelCheckpoint(checkpoints, **kept, filename="best", monitor=f"{scored}_loss"))
        watchers.append(ModelCheckpoint(checkpoints, **kept, filename="last"))
    if scored_chooses:
        watchers.append(EarlyStopping(f"{scored}_loss", patience=model.patience))
    trainer = make_trainer(
        params,
        max_epochs=model.max_epochs,
        logger=logger,
        callbacks=watchers,
        log_every_n_steps=LOG_EVERY,
        use_distributed_sampler=False,  # data.batches shares the batches out
        num_sanity_val_steps=0,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        enable_checkpointing=checkpoints is not None,
        default_root_dir=checkpoints,
    )
    if checkpoints is None:
        trainer.fit(module, datamodule=data)
        return Fit(module.model.eval(), history.rows, data) if is_first_process() else None
    finished = checkpoints / "history.json"
    if finished.exists():  # killed after the last epoch: an early stop would not stop again by itself
        history.rows = read_json(finished)
    else:
        killed = checkpoints / "last.ckpt"
        going_on = readable(killed) if killed.exists() else None
        trainer.fit(module, datamodule=data, ckpt_path=going_on, weights_only=True)
    if not is_first_process():
        return None
    write_json(finished, history.rows)
    # the document's protocol scores test after each epoch: there the last epoch counts, or test would have chosen
    chosen = "best.ckpt" if scored_chooses else "last.ckpt"
    trained = kind.load_from_checkpoint(readable(checkpoints / chosen), map_location="cpu", weights_only=True)
    return Fit(trained.model.eval(), history.rows, data)


def readable(checkpoint: Path) -> Path:
    """The same path, of a checkpoint that is whole and holds plain values alone.

    Raises:
        UserError: it is not, or does not; what to delete.
    """
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch's errors are of many kinds: of a file that was cut off, of none of its own, of one with code in it
        folder = checkpoint.parent
        raise UserError(
            f"{checkpoint} cannot be read ({type(error).__name__}): `rm -f {folder}/*.ckpt {folder}/history.json`, and "
            "the same command trains from the start"
        ) from error
    return checkpoint


def make_trainer(params: TrainerParams, **settings: Any) -> pl.Trainer:
    """Lightning's Trainer on the devices that `params` asks for.

    Raises:
        UserError: they are not there.
    """
    try:
        return pl.Trainer(
            accelerator=params.accelerator,
            devices=resolve_devices(params),
            strategy=params.strategy,
            num_nodes=resolve_nodes(params),
            precision=resolve_precision(params),  # type: ignore[arg-type]
            **settings,
        )
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"params.yaml: trainer: {' '.join(str(error).split())}") from error


def is_first_process() -> bool:
    """Whether this process is the one that keeps the records, before Lightning has set the others up."""
    return getattr(rank_zero_only, "rank", 0) in (None, 0)
