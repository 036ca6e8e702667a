"""A worker: a process that loads libraries and data once, then runs trial after trial until the study has enough.

Started by `launch` as `python -m sentiment_rnn.search.worker LAUNCHER`, with the launcher's process number; the
`Search` comes as JSON on standard input.
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
from sentiment_rnn.search.storage import PATIENCE, open_storage
from sentiment_rnn.search.study import Search
from sentiment_rnn.search.trial import run_trial
from sentiment_rnn.tracking.store import tracking_uri


def work(client: MlflowClient, storage: BaseStorage, search: Search) -> None:
    """Run trials until as many as were asked for have finished, here or elsewhere.

    While others run all that is left, it waits: what one of them leaves behind when it is killed is taken up.
    """
    study = optuna.load_study(storage=storage, study_name=search.study)
    start = defaults(search.params.space, search.model)
    while len(leases.finished(study)) < search.params.n_trials:
        claimed = leases.claim(study, storage, search.params.n_trials, start)
        if claimed is None:
            time.sleep(0.5)
            continue
        alive = threading.Event()
        threading.Thread(target=_beat, args=(storage, claimed._trial_id, alive), daemon=True).start()
        try:
            run_trial(client, storage, search, claimed)
        finally:
            alive.set()


def _beat(storage: BaseStorage, trial_id: int, ended: threading.Event) -> None:
    """Show other machines that this trial's process lives."""
    beats = 0
    while not ended.wait(leases.HEARTBEAT_SECONDS):
        beats += 1
        try:
            storage.set_trial_user_attr(trial_id, leases.HEARTBEATS, beats)
        except UpdateFinishedTrialError:
            return


def main() -> None:
    serve(launcher=int(sys.argv[1]))
    search = Search.model_validate_json(sys.stdin.read())
    try:
        # the launcher has seen both stores answer; if one is away just now, it is waited for
        client = MlflowClient(tracking_uri(), tracking_uri())
        work(client, open_storage(search.storage, PATIENCE), search)
    except UserError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
