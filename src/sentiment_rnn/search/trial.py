"""One trial: a fit with sampled values on one device, its MLflow run, its result in the study."""

import math
import time
from typing import Any

import optuna
import pytorch_lightning as pl
from mlflow import MlflowClient
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, Trial, TrialState

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import updated
from sentiment_rnn.search.leases import fail
from sentiment_rnn.search.space import defaults, suggest
from sentiment_rnn.search.study import OBJECTIVE, Search, load_study
from sentiment_rnn.tracking import runs
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.logger import RunLogger


class PruningCallback(pl.Callback):
    """Reports each epoch's validation loss to the study; ends a trial that the pruner rejects or that diverged.

    Args:
        trial: the trial.
        prunable: whether the pruner may end it; not the defaults, which the others are compared with.
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


def run_trial(client: MlflowClient, storage: BaseStorage, search: Search, claimed: FrozenTrial) -> None:
    """Run a trial that this process has claimed.

    MLflow's run ends before the trial does: a process killed in between leaves a finished run of a trial that is
    repeated, and `study.sync_mlflow_runs` marks that run as killed.
    """
    name = f"{search.architecture} trial {claimed.number}"
    run_id = None
    try:
        trial = Trial(load_study(storage, search, claimed.number), claimed._trial_id)
        values = suggest(trial, search.params.space, search.model)
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
        state = _fit_and_report(client, storage, search, trial, values, run_id)
    except UpdateFinishedTrialError:
        # a call was repeated whose response was lost; or this process counted as dead, and another claimed the values
        state = storage.get_trial(claimed._trial_id).state
    except BaseException:
        fail(storage, claimed)
        if run_id:
            client.set_terminated(run_id, "FAILED")
        raise
    if run_id and state is TrialState.FAIL:
        client.set_tag(run_id, "trial.state", "interrupted")
        client.set_terminated(run_id, "KILLED")
    elif run_id:
        client.set_terminated(run_id, "FINISHED")


def _fit_and_report(
    client: MlflowClient, storage: BaseStorage, search: Search, trial: Trial, values: dict[str, Any], run_id: str
) -> TrialState:
    start = time.perf_counter()
    callback = PruningCallback(trial, prunable=values != defaults(search.params.space, search.model))
    state = _fit(f"{search.architecture} trial {trial.number}", search, values, run_id, callback)
    best = min(callback.losses, default=None)
    client.log_metric(run_id, "fit_seconds", callback.seconds)
    if best is not None:
        client.log_metric(run_id, f"best_{OBJECTIVE}", best)
    client.set_tag(run_id, "trial.state", state.name.lower())
    trial.set_user_attr("fit_seconds", callback.seconds)
    trial.set_user_attr("seconds", time.perf_counter() - start)
    storage.set_trial_state_values(trial._trial_id, state, None if best is None else [best])
    return state


def _fit(name: str, search: Search, values: dict[str, Any], run_id: str, callback: PruningCallback) -> TrialState:
    model = updated(search.trial_model(), values)
    try:
        fit(
            name,
            model,
            search.trainer,
            search.params.seed,
            tokens=search.tokens,
            checkpoints=None,
            logger=RunLogger(run_id),
            callbacks=[callback],
            train_fraction=search.params.train_fraction,
            init_state=pretrained.load(model, search.word_vectors, search.tokens),
        )
    except optuna.TrialPruned:
        return TrialState.PRUNED
    return TrialState.COMPLETE
