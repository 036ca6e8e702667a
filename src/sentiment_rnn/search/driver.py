"""The driver of a study: it alone creates, ends and repeats trials and their MLflow runs; slots train.

A trial is started only while finished and running ones are fewer than `n_trials`: there is never one too many. What a
killed driver leaves running is failed and repeated by the next, since only one at a time holds the lock of the study.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from optuna import Study
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState
from sqlalchemy.exc import DBAPIError

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution import Engine, Outcome, open_engine
from sentiment_rnn.execution.environment import interruptible
from sentiment_rnn.search.lock import study_lock
from sentiment_rnn.search.plots import log_plots
from sentiment_rnn.search.space import defaults, suggest
from sentiment_rnn.search.storage import open_storage, redact_url
from sentiment_rnn.search.study import (
    Search,
    end_run,
    fail_orphans,
    finished,
    log_result,
    open_study,
    report,
    sampler,
    sync_mlflow_runs,
)
from sentiment_rnn.search.trial import TrialResult, run_trial
from sentiment_rnn.search.view import View
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import cores, gpus

POLL_SECONDS = 0.02
MAX_DEATHS = 5  # of trials in a row, without a finished one in between, after which the search ends with an error
MAX_ATTEMPTS = 6  # with the same values, after which they are taken to be what kills


def run(search: Search) -> dict[str, Any]:
    """Run the trials that a study lacks; its report.

    Raises:
        UserError: workers fail, a store does not respond, another driver runs. The same command resumes the search.
        KeyboardInterrupt: Ctrl-C or SIGTERM. The same command resumes the search.
    """
    storage = open_storage(search.storage)
    search.work.mkdir(parents=True, exist_ok=True)
    try:
        with study_lock(search.storage, search.study) as keep_lock, interruptible():
            client = connect()
            driver = Driver(client, search, open_study(client, storage, search))
            with driver.running_parent():
                if driver.missing():
                    with open_engine(
                        search.params.workers,
                        driver.missing(),
                        devices=gpus(search.trainer),
                        cores=cores(),
                        logs=search.work,
                    ) as engine:
                        driver.run(engine, keep_lock)
                log_result(client, driver.study)
                log_plots(client, driver.study)
            result = report(search, driver.study)
    except (MlflowException, StorageInternalError, DBAPIError) as error:
        store = "MLflow's store" if isinstance(error, MlflowException) else redact_url(search.storage)
        reason = str(error).splitlines()[0][:200]
        raise UserError(
            f"{search.architecture}: {store} failed: {reason}; once it is available, the same command resumes the "
            "search"
        ) from error
    print(f"{search.architecture}: {result['summary']}", flush=True)
    return result


class Driver:
    """The trials of one study, whose lock is held."""

    def __init__(self, client: MlflowClient, search: Search, study: Study) -> None:
        self.client = client
        self.search = search
        self.study = study
        self.run_id: str = study.user_attrs["run_id"]  # of the study's run
        self.in_flight: dict[int, Trial] = {}
        self.deaths = self.most = 0  # in a row; trials at a time
        fail_orphans(study, ())
        sync_mlflow_runs(client, study)

    def missing(self) -> int:
        """Trials still to be finished."""
        return max(0, self.search.params.n_trials - len(finished(self.study)))

    def run(self, engine: Engine, keep_lock: Callable[[], None]) -> None:
        """Run trials until none is missing; `keep_lock` is called before the study is changed.

        Raises:
            UserError: a trial raised one, too many failed in a row, or another driver has taken the lock.
        """
        missing, ended = self.missing(), list[int]()
        with View(self.search, self.study, engine.describe()) as view:
            while missing or ended:
                while len(self.in_flight) < missing and engine.has_room():
                    keep_lock()
                    self.start_trial(engine)
                trials = self.study.get_trials(deepcopy=False) if ended else ()
                for number in ended:  # while the next ones train
                    end_run(self.client, trials[number].user_attrs["run_id"], trials[number])
                view.show(changed=bool(ended))
                ended = []
                if outcomes := engine.poll():
                    keep_lock()
                    ended = [self.end_trial(outcome) for outcome in outcomes]
                    missing = self.missing()
                else:
                    time.sleep(POLL_SECONDS)

    def start_trial(self, engine: Engine) -> None:
        """Start the next trial: the defaults, else the values of a failed trial, else sampled ones."""
        fail_orphans(self.study, self.in_flight)
        trials = self.study.get_trials(deepcopy=False)
        if not trials:
            self._enqueue(defaults(self.search.params.space, self.search.model))
        repeated = {trial.user_attrs.get("repeats") for trial in trials}
        for trial in trials:
            values, attempt = trial.user_attrs.get("values") or trial.params, trial.user_attrs.get("attempt", 1)
            if trial.state is TrialState.FAIL and values and trial.number not in repeated and attempt < MAX_ATTEMPTS:
                self._enqueue(values, repeats=trial.number, attempt=attempt + 1)
        self.study.sampler = sampler(self.search, len(trials))
        trial = self.study.ask()
        self.in_flight[trial.number] = trial
        self.most = max(self.most, len(self.in_flight))
        values = suggest(trial, self.search.params.space, self.search.model)
        run_id = runs.start(
            self.client,
            self.search.experiment(),
            f"{self.search.architecture} trial {trial.number}",
            params=values,
            tags={"architecture": self.search.architecture, "study": self.search.study, "trial": str(trial.number)},
            identity=load_identity(self.search.tokens),
            parent=self.run_id,
        )
        trial.set_user_attr("run_id", run_id)
        engine.submit(trial.number, run_trial, self.search, trial.number, values, run_id)

    def _enqueue(self, values: dict[str, Any], **attributes: int) -> None:
        # `values` also as an attribute: a trial that is killed before it has sampled them is repeated too
        self.study.enqueue_trial(values, user_attrs={"values": values, **attributes})

    def end_trial(self, outcome: Outcome) -> int:
        """Record the result of a trial in the study; its number."""
        trial = self.in_flight[outcome.key]
        if outcome.error is None:
            result: TrialResult = outcome.value
            trial.set_user_attr("seconds", result.seconds)
            trial.set_user_attr("fit_seconds", result.fit_seconds)
            self.study.tell(trial, result.loss if result.state is TrialState.COMPLETE else None, result.state)
            del self.in_flight[outcome.key]  # now: if the journal's disk is full, its run is ended with the others
            self.deaths = 0
            return trial.number
        label, reason = self.search.architecture, str(outcome.error) or type(outcome.error).__name__
        trial.set_user_attr("error", reason)
        self.study.tell(trial, state=TrialState.FAIL)
        del self.in_flight[outcome.key]
        self.deaths += 1
        if isinstance(outcome.error, UserError):
            raise UserError(f"{label}: {reason}")
        if self.deaths > max(MAX_DEATHS, 2 * self.most):  # a machine that dies takes all its workers with it
            raise UserError(
                f"{label}: {self.deaths} trials failed in a row, the last with: {reason}. If memory ran out: fewer "
                "search.workers, or a smaller batch_size or max_length"
            )
        return trial.number

    @contextmanager
    def running_parent(self) -> Iterator[None]:
        """The study's run is RUNNING in the block; afterwards all runs are as the study has them."""
        self.client.update_run(self.run_id, status="RUNNING")
        status = "FAILED"
        try:
            yield
            status = "FINISHED"
        except KeyboardInterrupt:
            status = "KILLED"
            for trial in self.in_flight.values():  # an attempt that its values did not end is not counted
                trial.set_user_attr("attempt", trial.user_attrs.get("attempt", 1) - 1)
            count = f"{len(finished(self.study))} of {self.search.params.n_trials} trials"
            print(
                f"\n{self.search.architecture}: stopped after {count}; the same command resumes the search", flush=True
            )
            raise
        finally:
            # not every running trial: if the lock was lost, another driver runs the others
            for trial in self.in_flight.values():
                with suppress(UserError):  # the journal's disk is full: the next driver fails the trial
                    self.study.tell(trial, state=TrialState.FAIL, skip_if_finished=True)
                runs.mark_killed(self.client, trial.user_attrs["run_id"])
            sync_mlflow_runs(self.client, self.study)
            self.client.set_terminated(self.run_id, status)
