"""One trial: a fit of drawn values on one device, its MLflow run, what the study is told."""

import math
import time
from typing import Any

import optuna
import pytorch_lightning as pl
from mlflow import MlflowClient
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState
from pytorch_lightning.loggers import MLFlowLogger

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import with_values
from sentiment_rnn.search.claims import fail
from sentiment_rnn.search.space import defaults, suggest
from sentiment_rnn.search.study import OBJECTIVE, Search, load_study
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import tracking_uri
from sentiment_rnn.training.fit import fit


class Reporting(pl.Callback):
    """Tells the study each epoch's validation loss, and ends the trial when the study has seen enough.

    Args:
        trial: is told.
        prunable: whether it may be ended; the defaults are not, for the others are compared with them.
    """

    def __init__(self, trial: Trial, prunable: bool) -> None:
        self.trial = trial
        self.prunable = prunable
        self.losses: list[float] = []
        self.seconds = 0.0

    def on_train_epoch_start(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.began = time.perf_counter()

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.seconds += time.perf_counter() - self.began
        loss = float(trainer.callback_metrics[OBJECTIVE])
        if not math.isfinite(loss):
            raise optuna.TrialPruned
        self.losses.append(loss)
        self.trial.report(loss, trainer.current_epoch + 1)
        if self.prunable and self.trial.should_prune():
            raise optuna.TrialPruned


def run_trial(client: MlflowClient, storage: BaseStorage, search: Search, claimed: FrozenTrial) -> None:
    """Run a trial that this process has claimed.

    The study is told of the end before MLflow is: a process killed between the two leaves a run to be closed, and
    never a run too many.
    """
    began = time.perf_counter()
    study = load_study(storage, search, claimed.number)
    trial = Trial(study, claimed._trial_id)
    values = suggest(trial, search.params.space, search.model)
    name = f"{search.architecture} trial {claimed.number}"
    run_id = runs.start(
        client,
        search.experiment(),
        name,
        params=values,
        tags={"architecture": search.architecture, "study": search.study, "trial": str(claimed.number)},
        identity=load_identity(search.tokens),
        parent=search.run_id,
    )
    trial.set_user_attr("run_id", run_id)
    reporting = Reporting(trial, prunable=values != defaults(search.params.space, search.model))
    try:
        state = _fit(name, search, values, run_id, reporting)
    except UpdateFinishedTrialError:
        state = TrialState.FAIL  # it was thought dead, and another has it now
    except BaseException:
        fail(storage, claimed)
        client.set_terminated(run_id, "FAILED")
        raise
    if state is not TrialState.FAIL:
        trial.set_user_attr("fit_seconds", reporting.seconds)
        trial.set_user_attr("seconds", time.perf_counter() - began)
        best = [min(reporting.losses)] if reporting.losses else None
        client.log_metric(run_id, "fit_seconds", reporting.seconds)
        if best:
            client.log_metric(run_id, f"best_{OBJECTIVE}", best[0])
        client.set_tag(run_id, "trial.state", state.name.lower())
        try:
            storage.set_trial_state_values(claimed._trial_id, state, best)
        except UpdateFinishedTrialError:
            state = storage.get_trial(claimed._trial_id).state  # told before, and the answer was lost; or thought dead
    client.set_terminated(run_id, "FINISHED" if state is not TrialState.FAIL else "KILLED")


def _fit(name: str, search: Search, values: dict[str, Any], run_id: str, reporting: Reporting) -> TrialState:
    one_device = search.trainer.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})
    try:
        fit(
            name,
            with_values(search.trial_model(), values),
            one_device,
            search.params.seed,
            tokens=search.tokens,
            checkpoints=None,
            logger=MLFlowLogger(tracking_uri=tracking_uri(), run_id=run_id),
            callbacks=[reporting],
            train_fraction=search.params.train_fraction,
        )
    except optuna.TrialPruned:
        return TrialState.PRUNED
    return TrialState.COMPLETE
