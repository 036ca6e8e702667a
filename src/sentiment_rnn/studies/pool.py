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

from filelock import FileLock, Timeout
from mlflow import MlflowClient

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.processes import interruptible, serve
from sentiment_rnn.progress import duration
from sentiment_rnn.studies.experiment import CachedExperiment, Context, finished_runs, mark_killed
from sentiment_rnn.training.devices import cores, gpus


@contextmanager
def exclusive_lock(context: Context) -> Iterator[None]:
    """Nobody else runs these experiments in this folder meanwhile, and a terminal's Ctrl-C or a kill ends them.

    Raises:
        UserError: somebody does, or there are no reviews.
    """
    load_identity(context.tokens)  # without reviews there is nothing to begin
    context.work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(context.work / "lock", timeout=0), interruptible():
            yield
    except Timeout:
        raise UserError(f"another `make {context.purpose}` runs in this folder: wait for it, or stop it") from None


def run_missing(
    client: MlflowClient, experiments: Sequence[CachedExperiment], context: Context, workers: int | str
) -> None:
    """Run what has not been done, and say of each what came out and how long the rest will take."""
    mark_killed(client, context)
    try:
        _run_missing(client, experiments, context, workers)
    except KeyboardInterrupt:
        print(f"\n{context.purpose}: stopped; the same command goes on from there", flush=True)
        raise
    finally:
        mark_killed(client, context)


def _run_missing(
    client: MlflowClient, experiments: Sequence[CachedExperiment], context: Context, workers: int | str
) -> None:
    finished = finished_runs(client, context)
    missing = [experiment for experiment in experiments if experiment.key(context) not in finished]
    before = len(experiments) - len(missing)
    print(f"{context.purpose}: {before} of {len(experiments)} trainings done", flush=True)
    began = time.monotonic()
    with closing(run_all(missing, context, workers)) as outcomes:
        for here, (experiment, run_id) in enumerate(outcomes, 1):
            figure = client.get_run(run_id).data.metrics[experiment.headline]
            left = duration((time.monotonic() - began) / here * (len(missing) - here))
            print(
                f"{context.purpose}: {before + here}/{len(experiments)} {experiment.name}, seed {experiment.seed}: "
                f"{experiment.headline.replace('_', ' ')} {figure:.4f}; about {left} left",
                flush=True,
            )


def run_all(
    experiments: Sequence[CachedExperiment], context: Context, workers: int | str
) -> Generator[tuple[CachedExperiment, str], None, None]:
    """Run experiments in their order, as many at a time as there are workers; none outlives the iteration.

    Args:
        experiments: none of which has been done.
        context: where they run.
        workers: `auto`: one a GPU, else one a core.

    Yields:
        An experiment that has ended, and the id of its MLflow run.

    Raises:
        UserError: a worker died, or met a mistake of the user's.
    """
    if not experiments:
        return
    devices = gpus(context.trainer)
    count = min(len(experiments), (len(devices) or cores()) if workers == "auto" else int(workers))
    os.environ["OMP_NUM_THREADS"] = str(max(1, cores() // count))  # read by the workers when they load torch
    waiting = list(reversed(experiments))
    spawn = multiprocessing.get_context("spawn")
    crew = []
    busy: dict[Connection, CachedExperiment] = {}
    try:
        for index in range(count):
            ours, theirs = spawn.Pipe()
            device = devices[index % len(devices)] if devices else None
            process = spawn.Process(target=_work, args=(theirs, context, index, device, os.getpid()), daemon=True)
            process.start()
            theirs.close()
            crew.append(process)
            busy[ours] = waiting.pop()
            with suppress(OSError):
                ours.send(busy[ours])
        while busy:
            for connection in cast(list[Connection], wait(list(busy))):
                experiment = busy.pop(connection)
                yield experiment, _outcome(connection, experiment, context)
                if waiting:
                    busy[connection] = waiting.pop()
                    with suppress(OSError):  # a worker that died meanwhile: `_outcome` says so
                        connection.send(busy[connection])
    finally:
        for process in crew:
            process.kill()
            process.join()


def _outcome(connection: Connection, experiment: CachedExperiment, context: Context) -> str:
    what = f"{experiment.name}, seed {experiment.seed}"
    try:
        run_id, mistake = connection.recv()
    except (EOFError, OSError):
        raise UserError(
            f"{what}: its worker died (all it said: {context.work}/worker-*.log); the same command goes on. If it is "
            f"memory: fewer {context.purpose}.workers"
        ) from None
    if mistake:
        raise UserError(f"{what}: {mistake}")
    return str(run_id)


def _work(connection: Connection, context: Context, index: int, device: str | None, launcher: int) -> None:
    """A worker: one training after the other, as they are handed to it; what it says goes to a log of its own."""
    serve(launcher)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    if device is not None:
        os.environ["CUDA_VISIBLE_DEVICES"] = device
    for name in [name for name in os.environ if name.startswith("SLURM_")]:
        del os.environ[name]  # Lightning would count the batch system's processes as ranks of one training
    sys.stdout = sys.stderr = (context.work / f"worker-{index}.log").open("a", buffering=1)
    while True:
        experiment = connection.recv()
        try:
            connection.send((experiment.run(context), None))
        except UserError as error:
            connection.send((None, str(error)))
