"""One fit of a classifier: module, data, Lightning's Trainer. Stages, trials and experiments all train by it."""

import logging
import sys
import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import EarlyStopping, EMAWeightAveraging
from pytorch_lightning.loggers import Logger
from pytorch_lightning.utilities.exceptions import MisconfigurationException
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.training.callbacks import History, MovableCheckpoint
from sentiment_rnn.training.datamodule import PROTOCOLS, ReviewsDataModule
from sentiment_rnn.training.devices import gpus, inference_device, resolve_devices, resolve_nodes, resolve_precision
from sentiment_rnn.training.evolution import EvolutionModule
from sentiment_rnn.training.module import SentimentModule
from sentiment_rnn.training.ranks import is_rank_zero, rank_zero_decision

LOG_EVERY = 20  # steps
FINISHED = "history.json"  # is written last

# expected: batches are loaded faster than trained on (`datamodule.loader`), and a small corpus has few; `checkpoints`
# may hold those of a killed training; Lightning imports a class that torch has moved
for message in ("does not have many workers", "number of training batches", "exists and is not empty", "LeafSpec"):
    warnings.filterwarnings("ignore", f".*{message}.*")
# `History` prints one line per epoch; Lightning would add the devices and an advertisement to each fit
for noisy in ("pytorch_lightning", "mlflow.system_metrics"):
    logging.getLogger(noisy).setLevel(logging.WARNING)


class FitResult(NamedTuple):
    """A trained classifier on the CPU, in evaluation mode, the rows of its `History`, its data."""

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
    init_state: Mapping[str, Tensor] | None = None,
    labels: np.ndarray | None = None,
) -> FitResult | None:
    """Train one model, resumed from `checkpoints/last.ckpt` if there is one.

    Args:
        name: in the progress output.
        model: architecture and training parameters.
        params: Trainer's.
        seed: of the initial values, the order of the batches and dropout.
        tokens: folder of the tokenize stage.
        checkpoints: folder for `last.ckpt`, `best.ckpt` and, at the end, `history.json`. None: no checkpoint is
            written, and the model is that of the last epoch.
        logger: for the metrics; False: none.
        callbacks: further ones.
        train_fraction: fraction of the training reviews.
        init_state: weights that replace some of the initial ones, by name.
        labels: `(N,)` from 0 to 1, replace those of the training reviews.

    Returns:
        The result; under several processes, None in all but rank zero.

    Raises:
        UserError: wrong number of labels, missing devices, or a corrupt checkpoint.
    """
    encoding = Encoding(**model.encoding())
    data = ReviewsDataModule(
        tokens, encoding, model.batch_size, model.protocol, seed, train_fraction, labels, model.augmentation
    )
    _, eval_split, selects_epoch = PROTOCOLS[model.protocol]
    torch.manual_seed(seed)
    module_class = EvolutionModule if model.optimizer == "cma_es" else SentimentModule
    module = module_class(
        model.architecture(),
        eval_split,
        model.learning_rate,
        model.lr_schedule,
        model.adam_epsilon,
        model.gradient_clip,
        seed,
        model.trainable,
        model.label_smoothing,
        model.adversarial_epsilon,
    )
    if init_state:
        module.model.load_state_dict(dict(module.model.state_dict()) | dict(init_state))
    history = History(name, int(np.minimum(data.train.lengths, encoding.max_length).sum()))
    all_callbacks: list[pl.Callback] = [history, *callbacks]
    if model.ema_decay is not None:
        all_callbacks.append(EMAWeightAveraging(device=inference_device(params), decay=model.ema_decay))
    if checkpoints:
        # two, because `save_last` writes only together with the best; `last` comes second: it saves the state of `best`
        settings: dict[str, Any] = {"save_on_train_epoch_end": True, "enable_version_counter": False}
        all_callbacks.append(MovableCheckpoint(checkpoints, **settings, filename="best", monitor=f"{eval_split}_loss"))
        all_callbacks.append(MovableCheckpoint(checkpoints, **settings, filename="last"))
    if selects_epoch:
        all_callbacks.append(EarlyStopping(f"{eval_split}_loss", patience=model.patience))
    trainer = make_trainer(
        params,
        model.batch_size,
        max_epochs=model.max_epochs,
        logger=logger,
        callbacks=all_callbacks,
        log_every_n_steps=LOG_EVERY,
        use_distributed_sampler=False,  # `BucketBatchSampler` divides the batches among the ranks
        num_sanity_val_steps=0,
        enable_progress_bar=sys.stderr.isatty(),
        enable_model_summary=False,
        enable_checkpointing=checkpoints is not None,
        default_root_dir=checkpoints,
    )
    if checkpoints is None:
        trainer.fit(module, datamodule=data)
        return FitResult(module.model.eval(), history.rows, data) if is_rank_zero() else None
    resume_from = rank_zero_decision(trainer, lambda: _resume_from(checkpoints))
    if resume_from != FINISHED:
        trainer.fit(module, datamodule=data, ckpt_path=resume_from, weights_only=True)
    if not is_rank_zero():
        return None
    if resume_from == FINISHED:
        history.rows = read_json(checkpoints / FINISHED)
    else:
        write_json(checkpoints / FINISHED, history.rows)
    # the protocol keras_reference evaluates on test after each epoch: test must not select the epoch
    selected = validate_checkpoint(checkpoints / ("best.ckpt" if selects_epoch else "last.ckpt"))
    trained = module_class.load_from_checkpoint(selected, map_location="cpu", weights_only=True)
    return FitResult(trained.model.eval(), history.rows, data)


def _resume_from(checkpoints: Path) -> str | None:
    """The checkpoint of a killed training, None if there is none; `FINISHED` if no epoch is left.

    The checkpoint does not tell the latter: after an early stop Lightning would resume with the next epoch.
    """
    if (checkpoints / FINISHED).exists():
        return FINISHED
    last = checkpoints / "last.ckpt"
    return str(validate_checkpoint(last)) if last.exists() else None


def validate_checkpoint(checkpoint: Path) -> Path:
    """The path of a checkpoint, which is complete and holds tensors and plain values only.

    Raises:
        UserError: it is corrupt; the message names the files to delete.
    """
    try:
        torch.load(checkpoint, map_location="cpu", weights_only=True)
    except Exception as error:
        # torch raises errors of many types: for a truncated file, another format, a pickle with code
        folder = checkpoint.parent
        raise UserError(
            f"{checkpoint} is corrupt ({type(error).__name__}): `rm -f {folder}/*.ckpt {folder}/history.json`, then "
            "the same command trains from the start"
        ) from error
    return checkpoint


def make_trainer(params: TrainerParams, batch_size: int, **settings: Any) -> pl.Trainer:
    """Lightning's Trainer on the devices that `params` names.

    Raises:
        UserError: they do not exist.
    """
    if gpus(params):
        torch.set_float32_matmul_precision("high")  # TF32
    try:
        return pl.Trainer(
            accelerator=params.accelerator,
            devices=resolve_devices(params, batch_size),
            strategy=params.strategy,
            num_nodes=resolve_nodes(params),
            precision=resolve_precision(params),  # type: ignore[arg-type]
            **settings,
        )
    except (MisconfigurationException, ValueError) as error:
        raise UserError(f"params.yaml: trainer: {' '.join(str(error).split())}") from error
