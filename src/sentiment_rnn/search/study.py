"""An Optuna study of one architecture and the MLflow run that shows it: which one it is, and what came out."""

import hashlib
import json
import time
import zlib
from pathlib import Path
from typing import Any
from uuid import uuid4

import optuna
from mlflow import MlflowClient
from optuna import Study
from optuna.exceptions import DuplicatedStudyError
from optuna.pruners import BasePruner, HyperbandPruner, MedianPruner, NopPruner
from optuna.samplers import TPESampler
from optuna.storages import BaseStorage
from optuna.trial import TrialState
from pydantic import BaseModel

import sentiment_rnn
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.params import ModelParams, SearchParams, TrainerParams
from sentiment_rnn.search.leases import FINISHED, LeaseMonitor, best, finished
from sentiment_rnn.search.space import defaults
from sentiment_rnn.search.storage import redact_url
from sentiment_rnn.tracking import runs
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.devices import resolve_precision

OBJECTIVE = "validation_loss"
PATIENCE_WITH_ITS_MAKER = 10.0  # seconds between a study and its run, at most
STARTUP = 4  # trials before TPE and the pruner act: fewer than their defaults, for studies are small by default

optuna.logging.set_verbosity(optuna.logging.ERROR)


class Search(BaseModel):
    """All that a worker has to know; as JSON it goes to its process.

    Args:
        architecture: its name.
        model: what the search starts from.
        params: how much to search, and where.
        trainer: Trainer's parameters; a trial runs in one process on one device.
        tokens: folder of the tokenize stage.
        word_vectors: folder of the stage word_vectors.
        storage: URL of the studies.
        study: name, which is another one for another space, other data or other code.
        run_id: of the study in MLflow.
    """

    architecture: str
    model: ModelParams
    params: SearchParams
    trainer: TrainerParams
    tokens: Path
    word_vectors: Path
    storage: str
    study: str = ""
    run_id: str = ""

    def trial_model(self) -> ModelParams:
        """The architecture as a trial trains it, before its values are drawn."""
        return self.model.model_copy(update={"max_epochs": min(self.params.max_epochs, self.model.max_epochs)})

    def experiment(self) -> str:
        """MLflow's experiment of the study."""
        return f"{load_identity(self.tokens)['dataset']}-search"


def study_name(search: Search) -> str:
    """Another name wherever a trial would have come out differently: parameters, precision, data, weights, code."""
    identity = load_identity(search.tokens)
    decides = [
        search.model.seed_independent(),
        resolve_precision(search.trainer),
        search.params.model_dump(exclude={"architectures", "n_trials", "min_improvement", "workers", "storage"}),
        identity,
        pretrained.digest(search.model, search.word_vectors),
        _code(),
    ]
    digest = hashlib.sha256(json.dumps(decides, sort_keys=True).encode()).hexdigest()[:12]
    return f"{identity['dataset']}-{search.architecture}-{digest}"


def _code() -> str:
    """SHA-256 of the code that a trial runs."""
    package = Path(sentiment_rnn.__file__).parent
    files = [file for part in ("data", "models", "training") for file in sorted((package / part).rglob("*.py"))]
    return hashlib.sha256(b"".join(file.read_bytes() for file in files)).hexdigest()


def open_study(client: MlflowClient, storage: BaseStorage, search: Search, work: Path) -> Search:
    """Begin the study, or join it where it stands, on this machine or on another.

    Args:
        client: MLflow's.
        storage: of the studies.
        search: what is searched.
        work: folder that remembers which study was the last, so that a new one can be told.

    Returns:
        `search` with the study's name and run.
    """
    name, label = study_name(search), search.architecture
    note = work / "study.json"
    before = read_json(note) if note.exists() else {}
    if before and before["study"] != name:
        print(f"{label}: the space, the architecture, the data or the code changed: this is a new study", flush=True)
        if before["storage"] == search.storage:
            _close_replaced(client, storage, before["study"])
    # the note comes first: a process killed after the study was made and before it was noted would not know its own
    write_json(note, {"study": name, "storage": search.storage})
    note.chmod(0o600)  # the URL may hold a password
    try:
        study = optuna.create_study(storage=storage, study_name=name)
        study.set_user_attr("token", uuid4().hex)
    except DuplicatedStudyError:
        study = optuna.load_study(storage=storage, study_name=name)
        _wait_for_the_run(study)
        done = len(finished(study))
        if done or study.trials:
            where = "" if search.storage.startswith("journal:") else f" in {redact_url(search.storage)}"
            print(f"{label}: study {name}{where}: {done} trials done", flush=True)
    return search.model_copy(update={"study": name, "run_id": _parent_run(client, study, search)})


def _wait_for_the_run(study: Study) -> None:
    """The process that made the study makes its run; where it was killed in between, whoever comes next does."""
    deadline = time.monotonic() + PATIENCE_WITH_ITS_MAKER
    while "run_id" not in study.user_attrs and time.monotonic() < deadline:
        time.sleep(0.5)
    if "token" not in study.user_attrs:
        study.set_user_attr("token", uuid4().hex)


def _parent_run(client: MlflowClient, study: Study, search: Search) -> str:
    """The study's run; a new one where there is none, or none any more."""
    known = study.user_attrs.get("run_id")
    if known and runs.exists(client, known):
        return str(known)
    # the token tells this study from one of the same name in another storage, or before this one was emptied
    token = study.user_attrs["token"]
    experiment = runs.experiment(client, search.experiment())
    found = client.search_runs([experiment], f"tags.`study.token` = '{token}'")
    if found:  # made, and then killed before it was noted
        run_id = found[0].info.run_id
    else:
        run_id = runs.start(
            client,
            search.experiment(),
            f"{search.architecture} search",
            params=search.params.model_dump(include={"pruner", "max_epochs", "train_fraction", "seed"}),
            tags={
                "architecture": search.architecture,
                "study": study.study_name,
                "study.token": token,
                "space": search.params.model_dump_json(include={"space"}),
                "reproduce": f"dvc repro search@{search.architecture}",
            },
            identity=load_identity(search.tokens),
        )
    study.set_user_attr("run_id", run_id)
    return run_id


def _close_replaced(client: MlflowClient, storage: BaseStorage, name: str) -> None:
    """The runs of a study that this project will not go on with; another machine may still be at work on it."""
    found = {summary.study_name for summary in optuna.get_all_study_summaries(storage)}
    if name not in found:
        return
    study = optuna.load_study(storage=storage, study_name=name)
    alive = LeaseMonitor(study, storage).running()
    sync_mlflow_runs(client, study)
    if not alive and (run_id := study.user_attrs.get("run_id")):
        runs.mark_killed(client, run_id)


def load_study(storage: BaseStorage, search: Search, number: int) -> Study:
    """The study with the sampler and the pruner for one trial.

    What is drawn depends on the architecture, the seed, the trial's number and the trials before it, not on the
    process that draws.
    """
    seed = zlib.crc32(f"{search.architecture} {search.params.seed} {number}".encode())
    sampler = TPESampler(n_startup_trials=STARTUP, seed=seed, constant_liar=True)
    return optuna.load_study(storage=storage, study_name=search.study, sampler=sampler, pruner=_pruner(search))


def _pruner(search: Search) -> BasePruner:
    epochs = search.trial_model().max_epochs
    if search.params.pruner == "median":
        return MedianPruner(n_startup_trials=STARTUP)
    if search.params.pruner == "hyperband" and epochs > 1:
        return HyperbandPruner(min_resource=1, max_resource=epochs, reduction_factor=2)
    return NopPruner()


def sync_mlflow_runs(client: MlflowClient, study: Study) -> None:
    """Make the trials' runs say what the study says: what a killed process left open or doubled is put right.

    The study is the truth. A run that no trial knows as its own is one whose making was repeated, and is deleted.
    """
    parent = study.user_attrs.get("run_id")
    if parent is None or not runs.exists(client, parent):
        return
    trials = study.get_trials(deepcopy=False)
    experiment = client.get_run(parent).info.experiment_id
    for run in runs.children(client, experiment, parent):
        trial = trials[int(run.data.tags["trial"])]
        own = trial.user_attrs.get("run_id") in (None, run.info.run_id)
        if trial.state is TrialState.RUNNING and own:
            continue
        if not own:
            client.delete_run(run.info.run_id)
        elif trial.state in FINISHED:
            if run.info.status != "FINISHED":
                client.set_terminated(run.info.run_id, "FINISHED")
                client.set_tag(run.info.run_id, "trial.state", trial.state.name.lower())
        elif run.info.status not in ("KILLED", "FAILED"):
            client.set_terminated(run.info.run_id, "KILLED")
            client.set_tag(run.info.run_id, "trial.state", "interrupted")


def log_result(client: MlflowClient, run_id: str, study: Study) -> None:
    """The best trial's values and loss, on the study's run."""
    trials = finished(study)
    client.log_metric(run_id, "trials", len(trials))
    if not (found := best(trials)):
        return
    client.log_metric(run_id, f"best_{OBJECTIVE}", found.value)
    for key, value in found.params.items():  # tags: a param could not change when more trials are asked for
        client.set_tag(run_id, f"best.{key}", str(value))


def report(search: Search, study: Study) -> dict[str, Any]:
    """What came out.

    Returns:
        `best`: the best trial's values, empty where they gain too little over the defaults; figures of the study;
        `trials`: a row each.
    """
    trials = finished(study)
    found = best(trials)
    start = defaults(search.params.space, search.model)
    first = next((trial for trial in trials if trial.state is TrialState.COMPLETE and trial.params == start), None)
    best_values = found.params if found else {}
    if found and first and first.value - found.value < search.params.min_improvement:
        best_values = {}
    return {
        "architecture": search.architecture,
        "best": best_values,
        "best_validation_loss": found.value if found else None,
        "defaults_validation_loss": first.value if first else None,
        "complete": sum(trial.state is TrialState.COMPLETE for trial in trials),
        "pruned": sum(trial.state is TrialState.PRUNED for trial in trials),
        "seconds": round(sum(trial.user_attrs["seconds"] for trial in trials), 1),
        "trials": [
            {"number": trial.number, "state": trial.state.name, "value": trial.value, **trial.params}
            for trial in trials
        ],
    }
