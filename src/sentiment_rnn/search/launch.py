"""A search as a job: worker processes on this machine's devices, monitored until the study has its trials."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
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
from sentiment_rnn.training.devices import cores, gpus, one_device

POLL_SECONDS = 0.5
MAX_DEATHS = 5  # of workers in a row, without a finished trial in between, after which the search ends with an error


def launch(
    name: str,
    model: ModelParams,
    params: SearchParams,
    trainer: TrainerParams,
    *,
    tokens: Path,
    word_vectors: Path,
    work: Path,
) -> dict[str, Any]:
    """Run the trials that are missing, together with any other machine of the study, and report the result.

    Args:
        name: the architecture's.
        model: its parameters; those in the space are the first trial's.
        params: the section search.
        trainer: Trainer's parameters; a trial runs in one process on one of these devices.
        tokens: folder of the tokenize stage.
        word_vectors: folder of the stage word_vectors.
        work: folder for the study, if it is a file, and the workers' logs.

    Returns:
        See `study.report`.

    Raises:
        UserError: workers fail, or a store does not respond. The same command resumes the search.
        KeyboardInterrupt: Ctrl-C or SIGTERM. The same command resumes the search.
    """
    url = storage_url(params.storage, work)
    storage = open_storage(url)
    search = Search(
        architecture=name,
        model=model,
        params=params,
        trainer=one_device(trainer),
        tokens=tokens,
        word_vectors=word_vectors,
        storage=url,
    )
    try:
        return _run(connect(), storage, search, gpus(trainer), work)
    except (MlflowException, StorageInternalError) as error:
        store = "MLflow's store" if isinstance(error, MlflowException) else redact_url(url)
        reason = str(error).splitlines()[0][:200]
        raise UserError(
            f"{name}: {store} failed: {reason}; once it is available, the same command resumes the search"
        ) from error


def _run(client: MlflowClient, storage: BaseStorage, search: Search, devices: list[str], work: Path) -> dict[str, Any]:
    search = open_study(client, storage, search, work)
    study = load_study(storage, search, 0)
    monitor = leases.LeaseMonitor(study, storage)
    monitor.running()
    sync_mlflow_runs(client, study)
    with _running_parent(client, search, study, monitor), interruptible():
        missing = search.params.n_trials - len(leases.finished(study))
        if missing > 0:
            with Workers(search, devices, work, missing) as workers, View(search, study, workers.describe()) as view:
                while workers.check(len(leases.finished(study))):
                    view.show(leases.finished(study), monitor.running())
                    time.sleep(POLL_SECONDS)
                view.show(leases.finished(study), [])
        sync_mlflow_runs(client, study)
        log_result(client, search.run_id, study)
        log_plots(client, search.run_id, study)
    result = report(search, study)
    print(f"{search.architecture}: {result['summary']}", flush=True)
    return result


@contextmanager
def _running_parent(client: MlflowClient, search: Search, study: Study, monitor: leases.LeaseMonitor) -> Iterator[None]:
    """The study's run is RUNNING in the block; afterwards, unless another machine works on, it has ended."""
    client.update_run(search.run_id, status="RUNNING")
    try:
        yield
    except BaseException as error:
        monitor.running()  # this machine's workers are dead by now: their trials are failed
        others = monitor.running()  # machines that are stopped at the same moment: the last one to check finds none
        sync_mlflow_runs(client, study)
        if not others:
            client.set_terminated(search.run_id, "KILLED" if isinstance(error, KeyboardInterrupt) else "FAILED")
        if isinstance(error, KeyboardInterrupt):
            count = f"{len(leases.finished(study))} of {search.params.n_trials} trials"
            print(f"\n{search.architecture}: stopped after {count}; the same command resumes the search", flush=True)
        raise
    client.set_terminated(search.run_id, "FINISHED")


class Workers:
    """This machine's worker processes; they run within a `with` block, and none outlives it.

    Args:
        search: their job.
        devices: GPUs, as CUDA_VISIBLE_DEVICES names them; empty: the CPU.
        work: folder for their logs.
        missing: trials still to be run.
    """

    def __init__(self, search: Search, devices: Sequence[str], work: Path, missing: int) -> None:
        self.search = search
        self.devices = devices
        self.work = work
        workers = search.params.workers
        self.count = min(missing, (len(devices) or cores()) if workers == "auto" else workers)
        self.threads = max(1, cores() // self.count)
        self.deaths = 0
        self.finished = 0

    def describe(self) -> str:
        """Their number and their devices."""
        threads = "1 thread" if self.threads == 1 else f"{self.threads} threads"
        devices = f"on {min(len(self.devices), self.count)} GPU" if self.devices else f"{threads} each"
        return f"{self.count} worker{'s' * (self.count > 1)}, {devices}"

    def __enter__(self) -> "Workers":
        self.processes = [self._start(index) for index in range(self.count)]
        return self

    def __exit__(self, *_: object) -> None:
        for process in self.processes:
            process.kill()  # safe at any moment: LeaseMonitor and sync_mlflow_runs clean up after it
            process.wait()

    def check(self, finished: int) -> bool:
        """Restart workers that died.

        Args:
            finished: number of the study's finished trials, on any machine.

        Returns:
            Whether any worker runs.

        Raises:
            UserError: a worker raised one, or too many died in a row.
        """
        if finished > self.finished:
            self.finished, self.deaths = finished, 0
        for index, process in enumerate(self.processes):
            status = process.poll()
            if status is None or status == 0:
                continue
            message = self._last_line(index) if status > 0 else ""
            if message.startswith("error: "):
                raise UserError(f"{self.search.architecture}: {message.removeprefix('error: ')}")
            self.deaths += 1
            if self.deaths > MAX_DEATHS:
                last = f"with {message} (full log: {self._log(index)})" if message else f"by signal {-status}"
                raise UserError(
                    f"{self.search.architecture}: workers died {self.deaths} times in a row without a finished trial, "
                    f"the last {last}. If memory ran out: fewer search.workers, or a smaller batch_size or max_length"
                )
            self.processes[index] = self._start(index)
        return any(process.poll() is None for process in self.processes)

    def _log(self, index: int) -> Path:
        return self.work / f"worker-{socket.gethostname()}-{index}.log"  # machines may share the folder

    def _last_line(self, index: int) -> str:
        lines = [line for line in self._log(index).read_text().splitlines() if line.strip()]
        return lines[-1] if lines else "an empty log"

    def _start(self, index: int) -> subprocess.Popen[bytes]:
        # from SLURM's variables Lightning would take the workers for ranks of one distributed training
        environment = {key: value for key, value in os.environ.items() if not key.startswith("SLURM_")}
        environment["OMP_NUM_THREADS"] = str(self.threads)
        if self.devices:
            environment["CUDA_VISIBLE_DEVICES"] = self.devices[index % len(self.devices)]
        with self._log(index).open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "sentiment_rnn.search.worker", str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                env=environment,
            )
        assert process.stdin
        with suppress(BrokenPipeError):  # it is dead already, which `check` handles
            process.stdin.write(self.search.model_dump_json().encode())
            process.stdin.close()
        return process
