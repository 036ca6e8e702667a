"""The Optuna study of an architecture and its MLflow runs: which study it is, and its result."""

import hashlib
import json
import time
import zlib
from collections.abc import Container, Sequence
from contextlib import suppress
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from mlflow import MlflowClient
from mlflow.entities import Metric, RunTag
from optuna import Study
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage
from optuna.trial import FrozenTrial, TrialState
from pydantic import BaseModel

import sentiment_rnn
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.params import ModelParams, SearchParams, TrainerParams
from sentiment_rnn.search.lock import study_lock
from sentiment_rnn.search.space import defaults
from sentiment_rnn.search.storage import redact_url, storage_url
from sentiment_rnn.tracking import runs
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.devices import resolve_precision

OBJECTIVE = "validation_loss"
FINISHED = (TrialState.COMPLETE, TrialState.PRUNED)
TAG = "trial.state"  # of a trial's MLflow run; is set last
STARTUP_TRIALS = 4  # before TPE and the pruner act: fewer than their defaults, since studies are small by default

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Search(BaseModel):
    """What is searched, as the driver and the workers know it.

    Args:
        architecture: its name.
        model: its parameters; those in the space are the first trial's.
        params: the section search.
        trainer: Trainer's parameters; a trial runs on one of these devices.
        tokens: folder of the tokenize stage.
        word_vectors: folder of the stage word_vectors.
        work: folder for the study, if it is a file, and the workers' logs.
    """

    architecture: str
    model: ModelParams
    params: SearchParams
    trainer: TrainerParams
    tokens: Path
    word_vectors: Path
    work: Path

    @cached_property
    def storage(self) -> str:
        """The URL of the studies."""
        return storage_url(self.params.storage, self.work)

    @cached_property
    def study(self) -> str:
        """The study's name, with a hash of all that decides a trial's result."""
        identity = load_identity(self.tokens)
        inputs = [
            self.model.seed_independent(),
            resolve_precision(self.trainer),
            self.params.model_dump(exclude={"architectures", "n_trials", "min_improvement", "workers", "storage"}),
            identity,
            pretrained.digest(self.model, self.word_vectors),
            _code_hash(),
        ]
        digest = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:12]
        return f"{identity['dataset']}-{self.architecture}-{digest}"

    def trial_model(self) -> ModelParams:
        """The model of a trial, before its values are sampled."""
        return self.model.model_copy(update={"max_epochs": min(self.params.max_epochs, self.model.max_epochs)})

    def experiment(self) -> str:
        """MLflow's experiment of the study."""
        return f"{load_identity(self.tokens)['dataset']}-search"


def _code_hash() -> str:
    """SHA-256 of the code that a trial runs."""
    package = Path(sentiment_rnn.__file__).parent
    files = [file for part in ("data", "models", "training") for file in sorted((package / part).rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def finished(study: Study) -> list[FrozenTrial]:
    """The trials that are complete or pruned, by number."""
    return study.get_trials(deepcopy=False, states=FINISHED)


def best(trials: Sequence[FrozenTrial]) -> FrozenTrial | None:
    """The complete trial with the smallest loss; None if there is none."""
    complete = [trial for trial in trials if trial.state is TrialState.COMPLETE]
    return min(complete, key=lambda trial: trial.value or 0.0, default=None)


def open_study(client: MlflowClient, storage: BaseStorage, search: Search) -> Study:
    """Create the study and its run, or open them; its lock is held."""
    name, label = search.study, search.architecture
    record = search.work / "study.json"  # the last study's name, so that a new one is reported as new
    before = read_json(record) if record.exists() else {}
    if before and before["study"] != name:
        print(f"{label}: the space, the architecture, the data or the code changed: this is a new study", flush=True)
        if before["storage"] == search.storage:
            _close_replaced(client, storage, search.storage, before["study"])
    # written first: a process killed between the creation and the record would not recognize its own study
    write_json(record, {"study": name, "storage": search.storage})
    record.chmod(0o600)  # the URL may contain a password
    study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True)
    if "token" not in study.user_attrs:
        study.set_user_attr("token", uuid4().hex)
    if study.trials:
        where = "" if search.storage.startswith("journal:") else f" in {redact_url(search.storage)}"
        print(f"{label}: study {name}{where}: {len(finished(study))} trials finished", flush=True)
    if not ((known := study.user_attrs.get("run_id")) and runs.exists(client, known)):
        study.set_user_attr("run_id", _find_or_start_run(client, study, search))
    return study


def _find_or_start_run(client: MlflowClient, study: Study, search: Search) -> str:
    # the token distinguishes this study from one of the same name in another storage, or before this one was emptied
    token = study.user_attrs["token"]
    experiment = runs.experiment(client, search.experiment())
    found = client.search_runs([experiment], f"tags.`study.token` = '{token}'")
    if found:  # its process was killed before it recorded the run in the study
        return str(found[0].info.run_id)
    return runs.start(
        client,
        search.experiment(),
        f"{search.architecture} search",
        params=search.params.model_dump(include={"pruner", "max_epochs", "train_fraction", "seed"}),
        tags={
            "architecture": search.architecture,
            "study": search.study,
            "study.token": token,
            "space": search.params.model_dump_json(include={"space"}),
            "reproduce": f"dvc repro search@{search.architecture}",
        },
        identity=load_identity(search.tokens),
    )


def _close_replaced(client: MlflowClient, storage: BaseStorage, url: str, name: str) -> None:
    """End the runs of a study that this project has replaced, unless it still runs elsewhere."""
    if name in optuna.get_all_study_names(storage):
        with suppress(UserError), study_lock(url, name):
            study = optuna.load_study(storage=storage, study_name=name)
            fail_orphans(study, ())
            sync_mlflow_runs(client, study)
            if run_id := study.user_attrs.get("run_id"):
                runs.mark_killed(client, run_id)


def fail_orphans(study: Study, in_flight: Container[int]) -> None:
    """Fail the running trials that are not in flight here: a killed driver's, or a duplicate by a repeated call.

    The study's lock is held: no other driver runs them.
    """
    for trial in study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
        if trial.number not in in_flight:
            study.tell(trial.number, state=TrialState.FAIL)


def sampler(search: Search, number: int) -> TPESampler:
    """The sampler of one trial: its values depend on the seed, the number and the trials before it alone."""
    seed = zlib.crc32(f"{search.architecture} {search.params.seed} {number}".encode())
    return TPESampler(n_startup_trials=STARTUP_TRIALS, seed=seed, constant_liar=True)


def pruner(search: Search) -> BasePruner:
    """The configured pruner."""
    epochs = search.trial_model().max_epochs
    if search.params.pruner == "median":
        return MedianPruner(n_startup_trials=STARTUP_TRIALS)
    if search.params.pruner == "hyperband" and epochs > 1:
        return HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=2)
    return NopPruner()


def sync_mlflow_runs(client: MlflowClient, study: Study) -> None:
    """Reconcile the status of the trials' MLflow runs with the study.

    A run that its trial does not name is a duplicate, from a repeated creation, and is deleted.
    """
    parent = study.user_attrs.get("run_id")
    if parent is None or not runs.exists(client, parent):
        return
    trials = study.get_trials(deepcopy=False)
    for run in runs.children(client, client.get_run(parent).info.experiment_id, parent):
        trial = trials[int(run.data.tags["trial"])]
        if trial.user_attrs.get("run_id") not in (None, run.info.run_id):
            client.delete_run(run.info.run_id)
        elif trial.state.is_finished() and (TAG not in run.data.tags or run.info.status != _status(trial)):
            end_run(client, run.info.run_id, trial)


def end_run(client: MlflowClient, run_id: str, trial: FrozenTrial) -> None:
    """End a trial's run as the trial ended."""
    done, now = trial.state in FINISHED, int(time.time() * 1000)
    client.set_terminated(run_id, _status(trial))
    metrics = {f"best_{OBJECTIVE}": min(trial.intermediate_values.values(), default=None)}
    metrics["fit_seconds"] = trial.user_attrs.get("fit_seconds")
    client.log_batch(
        run_id,
        metrics=[Metric(name, value, now, 0) for name, value in metrics.items() if value is not None],
        tags=[RunTag(TAG, trial.state.name.lower() if done else "interrupted")],
    )


def _status(trial: FrozenTrial) -> str:
    return "FINISHED" if trial.state in FINISHED else "KILLED"


def log_result(client: MlflowClient, study: Study) -> None:
    """Log the best trial's values and loss to the study's run."""
    run_id, trials = study.user_attrs["run_id"], finished(study)
    client.log_metric(run_id, "trials", len(trials))
    if found := best(trials):
        client.log_metric(run_id, f"best_{OBJECTIVE}", found.value)
        for key, value in found.params.items():  # tags, which may change when a later search runs more trials
            client.set_tag(run_id, f"best.{key}", str(value))


def report(search: Search, study: Study) -> dict[str, Any]:
    """The result of a study; `best` is empty if it improves the loss over the defaults by less than `min_improvement`.

    Returns:
        architecture, summary (a sentence), best (the values by dotted name), the best validation loss and the
        defaults', the numbers of complete and pruned trials, their seconds, trials (one row per finished trial).
    """
    trials = finished(study)
    own = defaults(search.params.space, search.model)
    found, default = best(trials), best([trial for trial in trials if trial.params == own])
    values = found.params if found else {}
    if found and default and default.value - found.value < search.params.min_improvement:
        values = {}
    return {
        "architecture": search.architecture,
        "summary": _summary(found, default, search.params.min_improvement),
        "best": values,
        "best_validation_loss": found.value if found else None,
        "defaults_validation_loss": default.value if default else None,
        "complete": sum(trial.state is TrialState.COMPLETE for trial in trials),
        "pruned": sum(trial.state is TrialState.PRUNED for trial in trials),
        "seconds": round(sum(trial.user_attrs["seconds"] for trial in trials), 1),
        "trials": [
            {"number": trial.number, "state": trial.state.name, "value": trial.value, **trial.params}
            for trial in trials
        ],
    }


def _summary(found: FrozenTrial | None, default: FrozenTrial | None, min_improvement: float) -> str:
    if not found:
        return "every trial was pruned or diverged: the defaults are used"
    if not default:
        return f"best validation loss {found.value:.4f} (trial {found.number}), not compared with the defaults"
    if found.number == default.number:
        return f"no trial is better than the defaults (validation loss {default.value:.4f}): the defaults are used"
    improvement = default.value - found.value
    losses = f"validation loss {found.value:.4f}, the defaults {default.value:.4f}"
    if improvement < min_improvement:
        return (
            f"trial {found.number} is better than the defaults by {improvement:.4f} ({losses}), less than "
            f"search.min_improvement ({min_improvement}): the defaults are used"
        )
    return f"trial {found.number} is better than the defaults by {improvement:.4f} ({losses}): its values are used"
