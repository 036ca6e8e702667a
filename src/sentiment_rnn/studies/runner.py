"""Runs the experiments of a study that have no finished run, side by side; a dead worker's is run again."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

import datasets
from filelock import FileLock, Timeout
from mlflow import MlflowClient

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution import Outcome, WorkerDiedError, open_engine
from sentiment_rnn.execution.environment import interruptible
from sentiment_rnn.progress import duration
from sentiment_rnn.studies.experiment import CachedExperiment, Context, finished_runs, mark_killed
from sentiment_rnn.training.devices import cores, gpus, one_device

POLL_SECONDS = 0.05
MAX_ATTEMPTS = 3  # at an experiment, after which it is taken to be what kills its worker


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
    client: MlflowClient, experiments: Sequence[CachedExperiment], context: Context, workers: int | Literal["auto"]
) -> None:
    """Run the experiments without a finished run, `workers` at a time; print each result and the time left.

    Raises:
        UserError: an experiment raised one, or killed its worker `MAX_ATTEMPTS` times.
    """
    mark_killed(client, context)
    finished = finished_runs(client, context)
    missing = [experiment for experiment in experiments if experiment.key(context) not in finished]
    before, total = len(experiments) - len(missing), len(experiments)
    print(f"{context.purpose}: {before} of {total} trainings finished", flush=True)
    start = time.monotonic()
    try:
        for count, (experiment, run_id) in enumerate(_run(missing, context, workers), 1):
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


def _run(
    experiments: Sequence[CachedExperiment], context: Context, workers: int | Literal["auto"]
) -> Iterator[tuple[CachedExperiment, str]]:
    """Each experiment when it has ended, with the id of its MLflow run."""
    if not experiments:
        return
    on_one = context._replace(trainer=one_device(context.trainer))
    waiting, attempts = deque(range(len(experiments))), Counter[int]()
    with open_engine(
        workers, len(experiments), devices=gpus(context.trainer), cores=cores(), logs=context.work
    ) as engine:
        while waiting or engine.busy:
            while waiting and engine.has_room():
                number = waiting.popleft()
                attempts[number] += 1
                engine.submit(number, run_experiment, experiments[number], on_one)
            for outcome in engine.poll():
                number = outcome.key
                if isinstance(outcome.error, WorkerDiedError) and attempts[number] < MAX_ATTEMPTS:
                    waiting.appendleft(number)
                else:
                    yield experiments[number], _run_id(outcome, experiments[number], context)
            time.sleep(POLL_SECONDS)


def run_experiment(experiment: CachedExperiment, context: Context) -> str:
    """Run an experiment in a slot; the id of its MLflow run."""
    datasets.disable_progress_bars()
    return experiment.run(context)


def _run_id(outcome: Outcome, experiment: CachedExperiment, context: Context) -> str:
    label = f"{experiment.name}, seed {experiment.seed}"
    if isinstance(outcome.error, WorkerDiedError):
        raise UserError(
            f"{label}: {outcome.error}. It did so {MAX_ATTEMPTS} times; the same command resumes. If memory ran out: "
            f"fewer {context.purpose}.workers"
        )
    if isinstance(outcome.error, UserError):
        raise UserError(f"{label}: {outcome.error}")
    if outcome.error:
        raise outcome.error
    return str(outcome.value)
