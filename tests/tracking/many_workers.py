"""Four processes connect to a new SQLite store at once and log 50 short runs each, as the trials of a search do."""

import multiprocessing
import sys
from unittest.mock import patch

from mlflow.entities import Metric

from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect

WORKERS, RUNS = 4, 50


def work(worker: int) -> None:
    client = connect()
    with patch.object(runs, "code_tags", lambda: {"git.dirty": "unknown"}):  # git's time is not the store's
        for number in range(RUNS):
            identity = {"dataset": "synthetic", "content_hashes": {"train": f"{number:064}"}}  # new to all at once
            tags = {"architecture": "gru", "trial": f"{worker}-{number}"}
            run_id = runs.start(client, "synthetic-search", "gru", params={"a": 1}, tags=tags, identity=identity)
            client.log_batch(run_id, metrics=[Metric("loss", 0.5, 0, step) for step in range(3)])
            client.set_terminated(run_id)


if __name__ == "__main__":
    fork = multiprocessing.get_context("fork")
    workers = [fork.Process(target=work, args=(worker,)) for worker in range(WORKERS)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.exit(any(worker.exitcode for worker in workers))
