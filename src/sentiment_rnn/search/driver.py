"""The driver of a study: it alone creates, ends and repeats trials and their MLflow runs; slots train.

The number of trials asked for is that of finished ones and of those in flight, so none is ever one too many. What a
killed driver leaves running is failed and repeated by the next, since only one driver at a time holds the study's lock.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from optuna import Study
from optuna.exceptions import StorageInternalError
from optuna.trial import Trial, TrialState

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution import Engine, Outcome, open_engine
from sentiment_rnn.execution.environment import interruptible
from sentiment_rnn.params import ModelParams, SearchParams, TrainerParams
from sentiment_rnn.search.lock import study_lock
from sentiment_rnn.search.plots import log_plots
from sentiment_rnn.search.space import defaults, suggest
from sentiment_rnn.search.storage import open_storage, redact_url, storage_url
from sentiment_rnn.search.study import (
    OBJECTIVE,
    Search,
    finished,
    log_result,
    open_study,
    report,
    sampler,
    set_run_state,
    study_name,
    sync_mlflow_runs,
)
from sentiment_rnn.search.trial import TrialResult, run_trial
from sentiment_rnn.search.view import View
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import cores, gpus, one_device

POLL_SECONDS = 0.05
MAX_DEATHS = 5  # in a row, without a finished trial in between, after which the search ends with an error
MAX_ATTEMPTS = 6  # with the same values, after which they are taken to be what kills


def search(
    name: str,
    model: ModelParams,
    params: SearchParams,
    trainer: TrainerParams,
    *,
    tokens: Path,
    word_vectors: Path,
    work: Path,
) -> dict[str, Any]:
    """Run the trials that a study lacks, and report its result.

    Args:
        name: the architecture's.
        model: its parameters; those in the space are the first trial's.
        params: the section search.
        trainer: Trainer's parameters; a trial runs on one of these devices.
        tokens: folder of the tokenize stage.
        word_vectors: folder of the stage word_vectors.
        work: folder for the study, if it is a file, and the workers' logs.

    Returns:
        See `study.report`.

    Raises:
        UserError: workers fail, a store does not respond, another driver runs. The same command resumes the search.
        KeyboardInterrupt: Ctrl-C or SIGTERM. The same command resumes the search.
    """
    url = storage_url(params.storage, work)
    storage = open_storage(url)
    asked = Search(
        architecture=name,
        model=model,
        params=params,
        trainer=one_device(trainer),
        tokens=tokens,
        word_vectors=word_vectors,
        storage=url,
    )
    work.mkdir(parents=True, exist_ok=True)
    try:
        with study_lock(url, study_name(asked), work) as keep_lock, interruptible():
            client = connect()
            opened, study = open_study(client, storage, asked, work)
            driver = Driver(client, study, opened)
            with driver.running_parent():
                if (missing := driver.missing()) > 0:
                    slots = None if params.workers == "auto" else params.workers
                    with open_engine(slots, missing, devices=gpus(trainer), cores=cores(), logs=work) as engine:
                        driver.run(engine, keep_lock)
                log_result(client, opened.run_id, study)
                log_plots(client, opened.run_id, study)
            result = report(opened, study)
    except (MlflowException, StorageInternalError) as error:
        store = "MLflow's store" if isinstance(error, MlflowException) else redact_url(url)
        reason = str(error).splitlines()[0][:200]
        raise UserError(
            f"{name}: {store} failed: {reason}; once it is available, the same command resumes the search"
        ) from error
    print(f"{name}: {result['summary']}", flush=True)
    return result


class Driver:
    """The trials of one study.

    Args:
        client: MLflow's.
        study: is held by this process alone.
        search: what is searched.
    """

    def __init__(self, client: MlflowClient, study: Study, search: Search) -> None:
        self.client = client
        self.study = study
        self.search = search
        self.in_flight: dict[int, Trial] = {}
        self.deaths = 0
        self.fail_orphans()
        sync_mlflow_runs(client, study)

    def missing(self) -> int:
        """Trials still to be finished."""
        return self.search.params.n_trials - len(finished(self.study))

    def run(self, engine: Engine, keep_lock: Callable[[], None]) -> None:
        """Run trials until none is missing.

        Args:
            engine: has the slots.
            keep_lock: is called from time to time.

        Raises:
            UserError: a trial raised one, or too many workers died in a row.
        """
        with View(self.search, self.study, engine.describe()) as view:
            while self.missing() > 0:
                while len(self.in_flight) < self.missing() and self.start_trial(engine):
                    pass
                for outcome in engine.poll():
                    self.end_trial(outcome)
                view.show(finished(self.study))
                keep_lock()
                time.sleep(POLL_SECONDS)

    def start_trial(self, engine: Engine) -> bool:
        """Give the next trial to a free slot; whether there was one."""
        if not engine.has_room():
            return False
        trials = self.study.get_trials(deepcopy=False)
        if not trials:
            self.study.enqueue_trial(defaults(self.search.params.space, self.search.model))
        self.repeat_failed()
        self.study.sampler = sampler(self.search, len(trials))
        trial = self.study.ask()
        values = suggest(trial, self.search.params.space, self.search.model)
        run_id = runs.start(
            self.client,
            self.search.experiment(),
            f"{self.search.architecture} trial {trial.number}",
            params=values,
            tags={
                "architecture": self.search.architecture,
                "study": self.search.study,
                "trial": str(trial.number),
            },
            identity=load_identity(self.search.tokens),
            parent=self.search.run_id,
        )
        trial.set_user_attr("values", values)
        trial.set_user_attr("run_id", run_id)
        self.in_flight[trial.number] = trial
        engine.submit(trial.number, run_trial, self.search, trial.number, values, run_id)
        return True

    def end_trial(self, outcome: Outcome) -> None:
        """Record the result of a trial in the study, then in MLflow: the study is what counts."""
        trial = self.in_flight.pop(outcome.key)
        run_id = trial.user_attrs["run_id"]
        if outcome.error is None:
            result: TrialResult = outcome.value
            trial.set_user_attr("seconds", result.seconds)
            trial.set_user_attr("fit_seconds", result.fit_seconds)
            self.client.log_metric(run_id, "fit_seconds", result.fit_seconds)
            if result.loss is not None:
                self.client.log_metric(run_id, f"best_{OBJECTIVE}", result.loss)
            self.study.tell(trial, result.loss if result.state is TrialState.COMPLETE else None, result.state)
            self.deaths = 0
        else:
            self.study.tell(trial, state=TrialState.FAIL)
            self.deaths += 1
        set_run_state(self.client, run_id, self.study.get_trials(deepcopy=False)[trial.number].state)
        if isinstance(outcome.error, UserError):
            raise UserError(f"{self.search.architecture}: {outcome.error}")
        if self.deaths > MAX_DEATHS:
            last = str(outcome.error) or type(outcome.error).__name__
            raise UserError(
                f"{self.search.architecture}: {self.deaths} trials failed in a row, the last with: {last}. If memory "
                "ran out: fewer search.workers, or a smaller batch_size or max_length"
            )

    def fail_orphans(self) -> None:
        """Fail the trials that run for no driver: a killed one's, or a duplicate of a creation that was repeated."""
        for trial in self.study.get_trials(deepcopy=False, states=(TrialState.RUNNING,)):
            if trial.number not in self.in_flight:
                self.study.tell(trial.number, state=TrialState.FAIL)

    def repeat_failed(self) -> None:
        """Enqueue the values of each failed trial once more, up to `MAX_ATTEMPTS` times in all."""
        self.fail_orphans()
        trials = self.study.get_trials(deepcopy=False)
        repeated = {trial.user_attrs.get("repeats") for trial in trials}
        for trial in trials:
            values, attempt = trial.user_attrs.get("values"), trial.user_attrs.get("attempt", 1)
            if trial.state is TrialState.FAIL and values and trial.number not in repeated and attempt < MAX_ATTEMPTS:
                self.study.enqueue_trial(values, user_attrs={"repeats": trial.number, "attempt": attempt + 1})

    @contextmanager
    def running_parent(self) -> Iterator[None]:
        """The study's run is RUNNING in the block; afterwards all runs are as the study has them."""
        self.client.update_run(self.search.run_id, status="RUNNING")
        try:
            yield
        except BaseException as error:
            self.in_flight.clear()
            self.fail_orphans()
            sync_mlflow_runs(self.client, self.study)
            interrupted = isinstance(error, KeyboardInterrupt)
            self.client.set_terminated(self.search.run_id, "KILLED" if interrupted else "FAILED")
            if interrupted:
                count = f"{len(finished(self.study))} of {self.search.params.n_trials} trials"
                print(
                    f"\n{self.search.architecture}: stopped after {count}; the same command resumes the search",
                    flush=True,
                )
            raise
        self.client.set_terminated(self.search.run_id, "FINISHED")
