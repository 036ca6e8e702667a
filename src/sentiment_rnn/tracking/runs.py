"""MLflow runs: one for each training, study and trial; a killed one is resumed."""

import getpass
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from mlflow import MlflowClient
from mlflow.entities import Dataset, DatasetInput, InputTag, Param, Run, RunStatus
from mlflow.exceptions import MlflowException

from sentiment_rnn.tracking import descriptions
from sentiment_rnn.tracking.store import experiment


def code_tags() -> dict[str, str]:
    """The git commit, whether anything but results (reports, searches, dvc.lock) differs from it, DVC's experiment."""

    def git(*arguments: str) -> str | None:
        try:
            done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        except OSError:  # it is not installed
            return None
        return done.stdout.strip() if done.returncode == 0 else None

    experiment = os.environ.get("DVC_EXP_NAME")
    named = {"dvc.experiment": experiment} if experiment else {}
    commit = git("rev-parse", "HEAD")
    if commit is None:
        return {"git.dirty": "unknown"} | named
    changed = git("status", "--porcelain", "--", ".", ":!reports", ":!searches", ":!dvc.lock")
    return {"mlflow.source.git.commit": commit, "git.dirty": str(bool(changed)).lower()} | named


def dataset_tags(identity: Mapping[str, Any]) -> dict[str, str]:
    """The data set's name and the content hash of its training split."""
    return {"dataset": identity["dataset"], "data.content_hash": identity["content_hashes"]["train"]}


def exists(client: MlflowClient, run_id: str) -> bool:
    """Whether the store has the run and it is not deleted."""
    try:
        return client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return False
        raise  # an unreachable store does not mean that there is no such run


def start(
    client: MlflowClient,
    experiment_name: str,
    name: str,
    *,
    params: Mapping[str, Any],
    tags: Mapping[str, str],
    identity: Mapping[str, Any],
    parent: str | None = None,
) -> str:
    """Create a run with its parameters, data set and code version.

    Args:
        client: of the tracking store.
        experiment_name: created if there is none.
        name: the run's.
        params: logged as parameters.
        tags: further tags.
        identity: `dataset` and `content_hashes`, see `data.store.load_identity`.
        parent: id of the parent run.

    Returns:
        The run's id.
    """
    source = {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": tags.get("reproduce", "sentiment-rnn"),
    }
    all_tags = {**source, **code_tags(), **dataset_tags(identity), **tags}
    if parent:
        all_tags["mlflow.parentRunId"] = parent
    all_tags["mlflow.note.content"] = descriptions.run(name, params, all_tags)
    run = client.create_run(experiment(client, experiment_name), run_name=name, tags=all_tags)
    run_id = run.info.run_id
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
    dataset = Dataset(
        name=identity["dataset"],
        digest=identity["content_hashes"]["train"][:16],
        source_type="local",
        source='{"uri": "data/tokens"}',
    )
    inputs = [DatasetInput(dataset, [InputTag("mlflow.data.context", "training")])]
    try:
        client.log_inputs(run_id, inputs)
    except MlflowException:  # another process inserted the same data set at the same time: now it is found
        client.log_inputs(run_id, inputs)
    return run_id


def children(client: MlflowClient, experiment_id: str, parent: str) -> Iterator[Run]:
    """The runs whose parent is the run `parent`."""
    token = None
    while True:
        page = client.search_runs([experiment_id], f"tags.`mlflow.parentRunId` = '{parent}'", page_token=token)
        yield from page
        if not (token := page.token):
            return


def mark_killed(client: MlflowClient, run_id: str) -> None:
    """Mark a run KILLED if its process died without setting a status."""
    if exists(client, run_id) and client.get_run(run_id).info.status == "RUNNING":
        client.set_terminated(run_id, "KILLED")


@contextmanager
def running(client: MlflowClient, run_id: str) -> Iterator[None]:
    """Mark the run RUNNING for the block, then FINISHED, KILLED (by Ctrl-C) or FAILED."""
    client.update_run(run_id, status=RunStatus.to_string(RunStatus.RUNNING))
    status = RunStatus.FAILED
    try:
        yield
        status = RunStatus.FINISHED
    except (KeyboardInterrupt, SystemExit):  # Lightning turns Ctrl-C into an exit
        status = RunStatus.KILLED
        raise
    finally:
        client.set_terminated(run_id, RunStatus.to_string(status))
