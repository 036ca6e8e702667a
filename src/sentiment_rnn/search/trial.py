"""One trial in the process that an engine gives it: a fit with sampled values, whose losses go to the study."""

import math
import time
from functools import cache
from typing import Any, NamedTuple

import optuna
import pytorch_lightning as pl
from optuna.storages import BaseStorage
from optuna.trial import Trial, TrialState
from pytorch_lightning.utilities import rank_zero_only

from sentiment_rnn.params import updated
from sentiment_rnn.search.space import defaults
from sentiment_rnn.search.storage import RETRY_SECONDS, open_storage
from sentiment_rnn.search.study import OBJECTIVE, Search, pruner
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.devices import one_device
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.logger import RunLogger


class TrialResult(NamedTuple):
    """The end of a trial.

    Attributes:
        state: complete or pruned.
        loss: the smallest validation loss; None: it diverged at once.
        seconds: of the whole trial.
        fit_seconds: of its epochs.
    """

    state: TrialState
    loss: float | None
    seconds: float
    fit_seconds: float


class TrialLogger(RunLogger):
    """Leaves the end of the run to the driver, which may know of a later death."""

    @rank_zero_only
    def finalize(self, status: str = "success") -> None:
        if self.buffer:
            self.write()


class PruningCallback(pl.Callback):
    """Reports each epoch's validation loss to the study, and prunes the trial.

    Args:
        trial: the study's.
        prunable: the pruner may end it; one that diverged ends in any case.
    """

    def __init__(self, trial: Trial, prunable: bool) -> None:
        self.trial = trial
        self.prunable = prunable
        self.losses: list[float] = []
        self.seconds = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.epoch_start = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seconds += time.perf_counter() - self.epoch_start
        loss = float(trainer.callback_metrics[OBJECTIVE])
        if not math.isfinite(loss):
            raise optuna.TrialPruned
        self.losses.append(loss)
        self.trial.report(loss, trainer.current_epoch + 1)
        if self.prunable and self.trial.should_prune():
            raise optuna.TrialPruned


@cache
def _storage(url: str) -> BaseStorage:
    return open_storage(url, RETRY_SECONDS)  # the driver has seen it respond: one that is away now comes back


def run_trial(search: Search, number: int, values: dict[str, Any], run_id: str) -> TrialResult:
    """Train with the values, by dotted name, of the running trial `number`, and log to its MLflow run."""
    start = time.perf_counter()
    storage = _storage(search.storage)
    study = optuna.load_study(storage=storage, study_name=search.study, pruner=pruner(search))
    study_id = storage.get_study_id_from_name(search.study)
    trial = Trial(study, storage.get_trial_id_from_study_id_trial_number(study_id, number))
    # the others are compared with the defaults
    callback = PruningCallback(trial, prunable=values != defaults(search.params.space, search.model))
    model = updated(search.trial_model(), values)
    state = TrialState.COMPLETE
    try:
        fit(
            f"{search.architecture} trial {number}",
            model,
            one_device(search.trainer),
            search.params.seed,
            tokens=search.tokens,
            checkpoints=None,
            logger=TrialLogger(run_id),
            callbacks=[callback],
            train_fraction=search.params.train_fraction,
            init_state=pretrained.load(model, search.word_vectors, search.tokens),
        )
    except optuna.TrialPruned:
        state = TrialState.PRUNED
    return TrialResult(state, min(callback.losses, default=None), time.perf_counter() - start, callback.seconds)
