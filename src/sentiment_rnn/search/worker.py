"""A worker process: loads the libraries once, then runs trials until the study has enough.

`launch` starts it as `python -m sentiment_rnn.search.worker LAUNCHER`, with the launcher's process number; the
`Search` is read as JSON from standard input.
"""

import sys
import threading
import time

import optuna
from mlflow import MlflowClient
from optuna.exceptions import UpdateFinishedTrialError
from optuna.storages import BaseStorage

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.processes import serve
from sentiment_rnn.search import leases
from sentiment_rnn.search.space import defaults
from sentiment_rnn.search.storage import RETRY_SECONDS, open_storage
from sentiment_rnn.search.study import Search
from sentiment_rnn.search.trial import run_trial
from sentiment_rnn.tracking.store import tracking_uri


def work(client: MlflowClient, storage: BaseStorage, search: Search) -> None:
    """Run trials until `n_trials` have finished, here or elsewhere.

    While others run all that are left, it waits: it claims the values of a trial whose process is killed.
    """
    study = optuna.load_study(storage=storage, study_name=search.study)
    start = defaults(search.params.space, search.model)
    while len(leases.finished(study)) < search.params.n_trials:
        claimed = leases.claim(study, storage, search.params.n_trials, start)
        if claimed is None:
            time.sleep(0.5)
            continue
        ended = threading.Event()
        threading.Thread(target=_heartbeat, args=(storage, claimed._trial_id, ended), daemon=True).start()
        try:
            run_trial(client, storage, search, claimed)
        finally:
            ended.set()


def _heartbeat(storage: BaseStorage, trial_id: int, ended: threading.Event) -> None:
    """Show other machines that this trial's process lives."""
    count = 0
    while not ended.wait(leases.HEARTBEAT_SECONDS):
        count += 1
        try:
            storage.set_trial_user_attr(trial_id, leases.HEARTBEATS, count)
        except UpdateFinishedTrialError:
            return


def main() -> None:
    serve(launcher=int(sys.argv[1]))
    search = Search.model_validate_json(sys.stdin.read())
    try:
        # the launcher has reached both stores; one that is away now is waited for
        client = MlflowClient(tracking_uri(), tracking_uri())
        work(client, open_storage(search.storage, RETRY_SECONDS), search)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
