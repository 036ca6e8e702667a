"""The MLflow run of a pipeline stage that cannot resume: after a kill the stage starts again, in a new run."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient

from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect, tracking_uri


@contextmanager
def stage_run(
    record: Path,
    name: str,
    *,
    params: Mapping[str, Any],
    tags: Mapping[str, str],
    identity: Mapping[str, Any],
) -> Iterator[tuple[MlflowClient, str]]:
    """Start a run for the block. A run that an earlier, killed process of the stage left RUNNING is marked KILLED.

    Args:
        record: a JSON file with the id of the current run; removed when the block succeeds.
        name: of the run.
        params: shown in the run.
        tags: of the run.
        identity: of the data set, whose name is the experiment's.

    Yields:
        The client and the run's id.

    Raises:
        UserError: the tracking store cannot be reached.
    """
    client, store = connect(), tracking_uri()
    if record.is_file() and (last := read_json(record))["store"] == store:
        runs.mark_killed(client, last["run_id"])
    run_id = runs.start(client, identity["dataset"], name, params=params, tags=tags, identity=identity)
    write_json(record, {"run_id": run_id, "store": store})
    with runs.running(client, run_id):
        yield client, run_id
    record.unlink()
