"""An Optuna study of one architecture, judged on validation alone; a killed one is taken up where it stood."""

import hashlib
import json
import shutil
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import optuna
import pytorch_lightning as pl
from mlflow import MlflowClient
from mlflow.entities import Metric, Param
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, Trial, TrialState
from pytorch_lightning.loggers import MLFlowLogger

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import (
    Choices,
    Distribution,
    IntRange,
    ModelParams,
    SearchParams,
    TrainerParams,
    with_values,
)
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect, tracking_uri
from sentiment_rnn.training.fit import fit, resolve_precision

FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
OBJECTIVE = "validation_loss"
STARTUP = 2  # trials before TPE and the pruner act: fewer than their defaults, for studies are small by default

optuna.logging.set_verbosity(optuna.logging.WARNING)


def suggest(trial: Trial, space: dict[str, Distribution]) -> dict[str, Any]:
    """Draw a value for every parameter of the space."""
    values: dict[str, Any] = {}
    for name, drawn in space.items():
        if isinstance(drawn, Choices):
            values[name] = trial.suggest_categorical(name, drawn.choices)
        elif isinstance(drawn, IntRange):
            values[name] = trial.suggest_int(name, drawn.low, drawn.high, log=drawn.log)
        else:
            values[name] = trial.suggest_float(name, drawn.low, drawn.high, log=drawn.log)
    return values


class Pruning(pl.Callback):
    """Tells the study each epoch's validation loss, and ends the trial when the study has seen enough."""

    def __init__(self, trial: Trial) -> None:
        self.trial = trial

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.trial.report(float(trainer.callback_metrics[OBJECTIVE]), trainer.current_epoch)
        if self.trial.should_prune():
            raise optuna.TrialPruned


def search(
    name: str,
    model: ModelParams,
    params: SearchParams,
    trainer: TrainerParams,
    *,
    tokens: Path,
    work: Path,
) -> dict[str, Any]:
    """Run the trials that are missing and report the study.

    Args:
        name: the architecture's.
        model: what the search starts from; its values are the first trial.
        params: how much to search, and where.
        trainer: Trainer's parameters; a trial runs in one process on one device.
        tokens: folder of the tokenize stage.
        work: where the study waits in case the process is killed.

    Returns:
        `best`: the best trial's values, empty where they gain too little over the defaults; figures of the study;
        `trials`: a row each.
    """
    if model.protocol == "document" or params.trials == 0 or not params.space:
        print(f"{name}: nothing to search, its parameters are taken as they stand", flush=True)
        return {"architecture": name, "best": {}, "trials": []}
    identity = load_identity(tokens)
    client = connect()
    study = _open_study(client, name, model, params, resolve_precision(trainer), identity, work)
    _retry_interrupted(client, study)
    one_device = trainer.model_copy(update={"devices": 1, "num_nodes": 1, "strategy": "auto"})
    short = with_values(model, {"max_epochs": min(params.max_epochs, model.max_epochs)})
    parent = study.user_attrs["run_id"]

    def objective(trial: Trial) -> float:
        values = suggest(trial, params.space)
        run_id = runs.start(
            client,
            f"{identity['dataset']}-search",
            f"{name} trial {trial.number}",
            params=values,
            tags={"architecture": name, "trial": str(trial.number)},
            identity=identity,
            parent=parent,
        )
        trial.set_user_attr("run_id", run_id)
        checkpoints = work / f"trial-{trial.number}"
        with runs.running(client, run_id):
            try:
                done = fit(
                    f"{name} trial {trial.number}",
                    with_values(short, values),
                    one_device,
                    params.seed,
                    tokens=tokens,
                    checkpoints=checkpoints,
                    logger=MLFlowLogger(tracking_uri=tracking_uri(), run_id=run_id),
                    callbacks=[Pruning(trial)],
                    train_fraction=params.train_fraction,
                )
            except optuna.TrialPruned:
                client.set_tag(run_id, "trial.state", "pruned")
                # a pruned trial has done what was asked of it: its run is FINISHED, not FAILED
                pruned = True
            else:
                pruned = False
            finally:
                shutil.rmtree(checkpoints, ignore_errors=True)
        if pruned:
            raise optuna.TrialPruned
        assert done is not None, "a trial is one process"
        best = min(row[OBJECTIVE] for row in done.history)
        client.log_metric(run_id, f"best_{OBJECTIVE}", best)
        client.set_tag(run_id, "trial.state", "complete")
        return best

    missing = params.trials - len(_finished(study))
    if missing < params.trials:
        print(f"{name}: {params.trials - missing} trials done, {max(missing, 0)} to go", flush=True)
    with runs.running(client, parent):
        for _ in range(missing):
            study.optimize(objective, n_trials=1)
            best = study.best_trial
            print(
                f"{name}: {len(_finished(study))}/{params.trials} trials, best {OBJECTIVE} {best.value:.4f} "
                f"with {_short(best.params)}",
                flush=True,
            )
        _log_study(client, parent, study)
    return _report(name, study, params.min_gain)


def _short(values: dict[str, Any]) -> str:
    return ", ".join(
        f"{key} {value:.3g}" if isinstance(value, float) else f"{key} {value}" for key, value in values.items()
    )


def _finished(study: optuna.Study) -> Sequence[FrozenTrial]:
    return study.get_trials(deepcopy=False, states=FINISHED)


def _open_study(
    client: MlflowClient,
    name: str,
    model: ModelParams,
    params: SearchParams,
    precision: str,
    identity: dict[str, Any],
    work: Path,
) -> optuna.Study:
    """The study of just these parameters on just these data, with its MLflow run; a new one begins at the defaults."""
    work.mkdir(parents=True, exist_ok=True)
    asked = [
        model.model_dump(exclude={"seeds"}),
        precision,
        params.model_dump(exclude={"trials", "min_gain"}),
        identity,
    ]
    same = hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()[:12]
    storage = JournalStorage(JournalFileBackend(str(work / "study.journal")))
    found = {summary.study_name: summary.user_attrs for summary in optuna.get_all_study_summaries(storage)}
    if found and f"{name}-{same}" not in found:
        print(f"{name}: the space, the architecture or the data changed: this is a new study", flush=True)
        for attributes in found.values():
            runs.end_killed(client, attributes.get("run_id", ""))
    study = optuna.create_study(
        storage=storage,
        study_name=f"{name}-{same}",
        load_if_exists=True,
        pruner=optuna.pruners.MedianPruner(STARTUP),
    )
    # another draw for each architecture, and another when a study goes on
    seed = zlib.crc32(f"{name} {params.seed} {len(study.trials)}".encode())
    study.sampler = optuna.samplers.TPESampler(n_startup_trials=STARTUP, seed=seed)
    run_id = study.user_attrs.get("run_id")
    if run_id is None or not runs.exists(client, run_id):
        run_id = runs.start(
            client,
            f"{identity['dataset']}-search",
            f"{name} search",
            params={key: value for key, value in params.model_dump().items() if key != "space"},
            tags={
                "architecture": name,
                "study": study.study_name,
                "space": json.dumps(params.model_dump()["space"]),
                "reproduce": f"dvc repro search@{name}",
            },
            identity=identity,
        )
        study.set_user_attr("run_id", run_id)
    if not study.trials:
        defaults = {key: getattr(model, key) for key, drawn in params.space.items() if drawn.holds(getattr(model, key))}
        study.enqueue_trial(defaults, user_attrs={"defaults": len(defaults) == len(params.space)})
    return study


def _retry_interrupted(client: MlflowClient, study: optuna.Study) -> None:
    """Trials that were killed still count as running: fail them, close their MLflow runs, ask for them again."""
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        study.tell(trial.number, state=TrialState.FAIL)
        run_id = trial.user_attrs.get("run_id")
        if run_id and runs.exists(client, run_id):
            runs.end_killed(client, run_id)
            client.set_tag(run_id, "trial.state", "interrupted")
        values = trial.system_attrs.get("fixed_params", {}) | trial.params  # what it was to draw, what it has drawn
        if values:
            defaults = {key: value for key, value in trial.user_attrs.items() if key == "defaults"}
            study.enqueue_trial(values, user_attrs=defaults)


def _log_study(client: MlflowClient, run_id: str, study: optuna.Study) -> None:
    best = study.best_trial
    client.log_batch(
        run_id,
        metrics=[
            Metric(f"best_{OBJECTIVE}", best.value, 0, 0),
            Metric("trials", len(_finished(study)), 0, 0),
        ],
        params=[Param(f"best.{key}", str(value)) for key, value in best.params.items()],
    )


def _report(name: str, study: optuna.Study, min_gain: float) -> dict[str, Any]:
    best, finished = study.best_trial, _finished(study)
    first = next((trial for trial in finished if trial.user_attrs.get("defaults")), None)
    return {
        "architecture": name,
        "best": {} if first and first.value - best.value < min_gain else best.params,
        "best_validation_loss": best.value,
        "defaults_validation_loss": first.value if first else None,
        "complete": sum(trial.state is TrialState.COMPLETE for trial in finished),
        "pruned": sum(trial.state is TrialState.PRUNED for trial in finished),
        "trials": [
            {"number": trial.number, "state": trial.state.name, "value": trial.value, **trial.params}
            for trial in finished
        ],
    }
