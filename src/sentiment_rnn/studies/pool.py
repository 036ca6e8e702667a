"""Trainings side by side: a worker process for each GPU, or for each core of the CPU."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from multiprocessing.connection import Connection, wait
from typing import cast

import datasets
from filelock import FileLock, Timeout
from mlflow import MlflowClient

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.processes import interruptible, serve
from sentiment_rnn.progress import duration
from sentiment_rnn.studies.experiment import CachedExperiment, Context, finished_runs, mark_killed
from sentiment_rnn.training.devices import cores, gpus, one_device


@contextmanager
def exclusive_lock(context: Context) -> Iterator[None]:
    """Only one process runs these experiments in this folder; within the block SIGTERM ends it as Ctrl-C does.

    Raises:
        UserError: another process runs them, or there are no reviews.
    """
    load_identity(context.tokens)
    context.work.mkdir(parents=True, exist_ok=True)
    datasets.disable_progress_bars()
    try:
        with FileLock(context.work / "lock", timeout=0), interruptible():
            yield
    except Timeout:
        raise UserError(f"another `make {context.purpose}` runs in this folder: wait for it, or stop it") from None


def run_missing(
    client: MlflowClient, experiments: Sequence[CachedExperiment], context: Context, workers: int | str
) -> None:
    """Run the experiments without a finished run; print each result and the time left."""
    mark_killed(client, context)
    finished = finished_runs(client, context)
    missing = [experiment for experiment in experiments if experiment.key(context) not in finished]
    before, total = len(experiments) - len(missing), len(experiments)
    print(f"{context.purpose}: {before} of {total} trainings finished", flush=True)
    start = time.monotonic()
    try:
        with closing(run_all(missing, context, workers)) as outcomes:
            for count, (experiment, run_id) in enumerate(outcomes, 1):
                value = client.get_run(run_id).data.metrics[experiment.headline]
                left = duration((time.monotonic() - start) / count * (len(missing) - count))
                print(
                    f"{context.purpose}: {before + count}/{total} {experiment.name}, seed {experiment.seed}: "
                    f"{experiment.headline.replace('_', ' ')} {value:.4f}; about {left} left",
                    flush=True,
                )
    except KeyboardInterrupt:
        print(f"\n{context.purpose}: stopped; the same command resumes", flush=True)
        raise
    finally:
        mark_killed(client, context)


def run_all(
    experiments: Sequence[CachedExperiment], context: Context, workers: int | str
) -> Generator[tuple[CachedExperiment, str], None, None]:
    """Run experiments in their order, as many at a time as there are workers; no worker outlives the iteration.

    Args:
        experiments: without finished runs.
        context: where they run.
        workers: `auto`: one per GPU, else one per core.

    Yields:
        An experiment that has ended, and the id of its MLflow run.

    Raises:
        UserError: a worker died, or raised one.
    """
    if not experiments:
        return
    devices = gpus(context.trainer)
    context = context._replace(trainer=one_device(context.trainer))
    count = min(len(experiments), (len(devices) or cores()) if workers == "auto" else int(workers))
    os.environ["OMP_NUM_THREADS"] = str(max(1, cores() // count))  # the workers read it when they load torch
    waiting = list(reversed(experiments))
    spawn = multiprocessing.get_context("spawn")
    processes = []
    in_flight: dict[Connection, CachedExperiment] = {}
    try:
        for index in range(count):
            connection, remote = spawn.Pipe()
            device = devices[index % len(devices)] if devices else None
            process = spawn.Process(target=_work, args=(remote, context, index, device, os.getpid()), daemon=True)
            process.start()
            remote.close()
            processes.append(process)
            in_flight[connection] = waiting.pop()
            with suppress(OSError):
                connection.send(in_flight[connection])
        while in_flight:
            for connection in cast(list[Connection], wait(list(in_flight))):
                experiment = in_flight.pop(connection)
                yield experiment, _outcome(connection, experiment, context)
                if waiting:
                    in_flight[connection] = waiting.pop()
                    with suppress(OSError):  # a worker that died meanwhile: `_outcome` reports it
                        connection.send(in_flight[connection])
    finally:
        for process in processes:
            process.kill()
            process.join()


def _outcome(connection: Connection, experiment: CachedExperiment, context: Context) -> str:
    label = f"{experiment.name}, seed {experiment.seed}"
    try:
        run_id, message = connection.recv()
    except (EOFError, OSError):
        raise UserError(
            f"{label}: its worker died (logs: {context.work}/worker-*.log); the same command resumes. If memory ran "
            f"out: fewer {context.purpose}.workers"
        ) from None
    if message:
        raise UserError(f"{label}: {message}")
    return str(run_id)


def _work(connection: Connection, context: Context, index: int, device: str | None, launcher: int) -> None:
    """A worker process: runs the experiments that it receives; its output goes to a log file of its own."""
    serve(launcher)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        del os.environ[name]  # from them Lightning would take the workers for ranks of one distributed training
    sys.stdout = sys.stderr = (context.work / f"worker-{index}.log").open("a", buffering=1)
    while True:
        experiment = connection.recv()
        try:
            connection.send((experiment.run(context), None))
        except UserError as error:
            connection.send((None, str(error)))
