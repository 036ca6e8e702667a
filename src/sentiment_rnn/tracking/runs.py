"""The life of an MLflow run: one a training, one a study, one a trial; taken up again where it was killed."""

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
    """The commit that runs, and whether anything but results (reports, searches, DVC's locks) differs from it.

    In `dvc exp run` the experiment's name too.
    """

    def git(*arguments: str) -> str | None:
        done = subprocess.run(["git", *arguments], capture_output=True, text=True, check=False)
        return done.stdout.strip() if done.returncode == 0 else None

    experiment = os.environ.get("DVC_EXP_NAME")
    named = {"dvc.experiment": experiment} if experiment else {}
    commit = git("rev-parse", "HEAD")
    if commit is None:
        return {"git.dirty": "unknown"} | named
    results = (":!reports", ":!searches", ":!dvc.lock", ":!best/reports", ":!best/dvc.lock")
    changed = git("status", "--porcelain", "--", ".", *results)
    return {"mlflow.source.git.commit": commit, "git.dirty": str(bool(changed)).lower()} | named


def dataset_tags(identity: Mapping[str, Any]) -> dict[str, str]:
    """What the run was fed: the corpus's name and the content_hash of its training split."""
    return {"dataset": identity["dataset"], "data.content_hash": identity["content_hashes"]["train"]}


def exists(client: MlflowClient, run_id: str) -> bool:
    """Whether the store knows the run and has not deleted it."""
    try:
        return client.get_run(run_id).info.lifecycle_stage == "active"
    except MlflowException as error:
        if error.error_code in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
            return False
        raise  # a store that fails to answer is not one that lacks the run


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
    """Make a run that shows what is run (`params`), on what (`identity`: dataset, content_hashes), by what code.

    Returns:
        Its id.
    """
    source = {
        "mlflow.user": getpass.getuser(),
        "mlflow.source.type": "LOCAL",
        "mlflow.source.name": tags.get("reproduce", "sentiment-rnn"),
    }
    everything = {**source, **code_tags(), **dataset_tags(identity), **tags}
    if parent:
        everything["mlflow.parentRunId"] = parent
    everything["mlflow.note.content"] = descriptions.run(name, params, everything)
    run = client.create_run(experiment(client, experiment_name), run_name=name, tags=everything)
    run_id = run.info.run_id
    client.log_batch(run_id, params=[Param(key, str(value)) for key, value in params.items()])
    used = Dataset(
        name=identity["dataset"],
        digest=identity["content_hashes"]["train"][:16],
        source_type="local",
        source='{"uri": "data/tokens"}',
    )
    client.log_inputs(run_id, [DatasetInput(used, [InputTag("mlflow.data.context", "training")])])
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
    """Mark a run KILLED whose process died without saying so."""
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
