"""A search as a job: workers side by side on this machine's devices, watched until the study has its trials."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from optuna import Study
from optuna.exceptions import StorageInternalError
from optuna.storages import BaseStorage

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.processes import interruptible
from sentiment_rnn.params import ModelParams, SearchParams, TrainerParams
from sentiment_rnn.search import leases
from sentiment_rnn.search.plots import log_plots
from sentiment_rnn.search.storage import open_storage, redact_url, storage_url
from sentiment_rnn.search.study import Search, load_study, log_result, open_study, report, sync_mlflow_runs
from sentiment_rnn.search.view import View
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import cores, gpus

POLL = 0.5  # seconds between looks at the study
MAX_DEATHS = 5  # of workers in a row, without a trial finished in between, after which something is wrong for good


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
    """Run the trials that are missing, beside whoever else runs them, and report the study.

    Args:
        name: the architecture's.
        model: what the search starts from; its values are the first trial.
        params: how much to search, and where.
        trainer: Trainer's parameters; a trial runs in one process on one device.
        tokens: folder of the tokenize stage.
        word_vectors: folder of the stage word_vectors.
        work: where the workers' logs are, and the study, if it is kept in a file.

    Returns:
        See `study.report`; its `best` is empty where there is nothing to search.

    Raises:
        UserError: a worker failed, or a store does not answer. The same command goes on.
        KeyboardInterrupt: Ctrl-C, or SIGTERM. The same command goes on.
    """
    if model.protocol == "keras_reference" or params.n_trials == 0 or not any(model.uses(key) for key in params.space):
        print(f"{name}: nothing to search, its parameters are taken as they stand", flush=True)
        return {"architecture": name, "best": {}, "trials": []}
    url = storage_url(params.storage, work)
    storage = open_storage(url)
    client = connect()
    asked = Search(
        architecture=name,
        model=model,
        params=params,
        trainer=trainer,
        tokens=tokens,
        word_vectors=word_vectors,
        storage=url,
    )
    try:
        return _run(client, storage, asked, work)
    except (MlflowException, StorageInternalError) as error:
        store = "MLflow's store" if isinstance(error, MlflowException) else redact_url(url)
        reason = str(error).splitlines()[0][:200]
        raise UserError(f"{name}: {store} failed: {reason}; once it is back, the same command goes on") from error


def _run(client: MlflowClient, storage: BaseStorage, asked: Search, work: Path) -> dict[str, Any]:
    params = asked.params
    opened = open_study(client, storage, asked, work)
    study = load_study(storage, opened, 0)
    watch = leases.LeaseMonitor(study, storage)
    watch.running()
    sync_mlflow_runs(client, study)
    with _parent_run(client, opened, study, watch), interruptible():
        missing = params.n_trials - len(leases.finished(study))
        if missing > 0:
            with Workers(opened, work, missing) as workers, View(opened, study, workers.describe()) as view:
                while workers.check(len(leases.finished(study))):
                    view.show(leases.finished(study), watch.running())
                    time.sleep(POLL)
                view.show(leases.finished(study), [])
        sync_mlflow_runs(client, study)
        log_result(client, opened.run_id, study)
        log_plots(client, opened.run_id, study)
    return report(opened, study)


@contextmanager
def _parent_run(client: MlflowClient, search: Search, study: Study, watch: leases.LeaseMonitor) -> Iterator[None]:
    """The study's run is RUNNING while somebody works on it."""
    client.update_run(search.run_id, status="RUNNING")
    try:
        yield
    except BaseException as error:
        watch.running()  # this machine's workers are dead by now: their trials are failed
        others = watch.running()  # of machines that were stopped at the same moment, the last to look sees none
        sync_mlflow_runs(client, study)
        if not others:
            client.set_terminated(search.run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        if isinstance(error, KeyboardInterrupt):
            done = f"{len(leases.finished(study))} of {search.params.n_trials} trials"
            print(f"\n{search.architecture}: stopped with {done} done; the same command goes on from there", flush=True)
        raise
    client.set_terminated(search.run_id, "FINISHED")


class Workers:
    """This machine's worker processes; in a `with` block they run, and none outlives it.

    Args:
        search: what they work on.
        work: folder for their logs.
        missing: trials still to be run.
    """

    def __init__(self, search: Search, work: Path, missing: int) -> None:
        self.search = search
        self.work = work
        self.gpus = gpus(search.trainer)
        wanted = search.params.workers
        self.count = min(missing, (len(self.gpus) or cores()) if wanted == "auto" else wanted)
        self.threads = max(1, cores() // self.count)
        self.deaths = 0
        self.finished = 0

    def describe(self) -> str:
        """How many there are, on what."""
        each = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        devices = f"on {min(len(self.gpus), self.count)} GPU" if self.gpus else f"{each} each"
        return f"{self.count} worker{'s' * (self.count > 1)}, {devices}"

    def __enter__(self) -> "Workers":
        self.processes = [self._start(index) for index in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()  # a worker may be killed at any moment: what it leaves open, `watch` and `sync_mlflow_runs` put right
            process.wait()

    def check(self, finished: int) -> bool:
        """Start those again that died.

        Args:
            finished: trials so far, by anyone.

        Returns:
            Whether some still run.

        Raises:
            UserError: one met a mistake of the user's, or they die again and again.
        """
        if finished > self.finished:
            self.finished, self.deaths = finished, 0
        for index, process in enumerate(self.processes):
            status = process.poll()
            if status is None or status == 0:
                continue
            words = self._last_words(index) if status > 0 else ""
            if words.startswith("error: "):
                raise UserError(f"{self.search.architecture}: {words.removeprefix('error: ')}")
            self.deaths += 1
            if self.deaths > MAX_DEATHS:
                last = (
                    f"failed, with {words} (all it said: {self._log(index)})"
                    if words
                    else f"killed (by signal {-status})"
                )
                raise UserError(
                    f"{self.search.architecture}: workers died {self.deaths} times and no trial finished in between; "
                    f"the last was {last}. If it is memory: fewer search.workers, or a smaller batch_size or max_length"
                )
            self.processes[index] = self._start(index)
        return any(process.poll() is None for process in self.processes)

    def _log(self, index: int) -> Path:
        return self.work / f"worker-{socket.gethostname()}-{index}.log"  # machines may share the folder

    def _last_words(self, index: int) -> str:
        lines = [line for line in self._log(index).read_text().splitlines() if line.strip()]
        return lines[-1] if lines else "nothing said"

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        # a batch system's variables would make Lightning count the search's machines as ranks of one training
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        environment["OMP_NUM_THREADS"] = str(self.threads)
        if self.gpus:
            environment["CUDA_VISIBLE_DEVICES"] = self.gpus[index % len(self.gpus)]
        with self._log(index).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sentiment_rnn.search.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
            )
        assert process.stdin
        with suppress(BrokenPipeError):  # it is dead already, which `check` will see
            process.stdin.write(self.search.model_dump_json().encode())
            process.stdin.close()
        return process
