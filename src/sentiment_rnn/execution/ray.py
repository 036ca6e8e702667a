"""Slots on a Ray cluster: one actor each. Machines join by `ray start --address=HEAD:PORT`, at any time."""

import os
import signal
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import sentiment_rnn
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.engine import Engine, Outcome, Slot, WorkerDiedError
from sentiment_rnn.execution.environment import set_defaults
from sentiment_rnn.execution.launchers import forget_launchers

try:
    import ray
    from ray.exceptions import RayError, RayTaskError
except ImportError as error:
    raise UserError(f"RAY_ADDRESS is set, but {error}: `pip install 'sentiment-rnn[ray]'`, or unset it") from error

PASSED_ON = ("MLFLOW_", "OPTUNA_", "PGPASSWORD")  # the driver's environment variables that actors get
REFRESH_SECONDS = 1.0
HEAD_SECONDS = 20.0  # without a response of the head, after which the cluster is gone; Ray aborts this process after 60
IDLE_SECONDS = 30.0  # without any actor, after which the reason is printed
MAX_FAILED_STARTS = 4  # at intervals of 2, 4, 8, ... s, where no actor runs


class RayEngine(Engine):
    """At most `slots` actors of a cluster: one per GPU, else one per core.

    An actor is a free slot once it runs: one that Ray cannot place or start gets no function.

    Raises:
        UserError: the cluster does not respond.
    """

    def __init__(self, address: str, slots: int) -> None:
        super().__init__()
        before = signal.getsignal(signal.SIGTERM)
        # not in the actors' arguments: they find this class, the driver's own version, by it
        root = str(Path(sentiment_rnn.__file__).parents[1])
        path = os.pathsep.join([root, os.environ.get("PYTHONPATH", root), "${PYTHONPATH}"])
        try:
            _connect(address)
            ray.init(
                address=address,
                runtime_env={"env_vars": {"PYTHONPATH": path}},
                log_to_driver=False,
                logging_level="error",
            )
        except Exception as error:
            # Ray's errors are of many types, from a refused connection to another version
            raise UserError(
                f"no Ray cluster at RAY_ADDRESS={address} ({_first_line(error)}): "
                "start one (docs/scale.md), or unset it"
            ) from error
        finally:
            signal.signal(signal.SIGTERM, before)  # ray.init replaces it
        resources = ray.cluster_resources()
        self.kind = "GPU" if resources.get("GPU") else "CPU"
        threads = max(1, int(resources.get("CPU", 1) / resources["GPU"])) if self.kind == "GPU" else 1
        one = {"num_gpus": 1} if self.kind == "GPU" else {"num_cpus": 1}
        environment = {name: value for name, value in os.environ.items() if name.startswith(PASSED_ON)}
        environment |= {"OMP_NUM_THREADS": str(threads)}
        actor = ray.remote(max_restarts=0, **one)(Worker)
        self.start_actor = lambda: RaySlot(actor.remote(os.getcwd(), environment))
        self.slots = slots
        self.starting: list[RaySlot] = []
        self.failed_starts = 0
        self.next_start = 0.0
        self.last_slot = time.monotonic()
        self.printed: set[str] = set()
        self._list_nodes()
        self.closed = threading.Event()
        threading.Thread(target=self._watch_nodes, daemon=True).start()
        self.add_slots()

    def describe(self) -> str:
        slots = len(self.free) + len(self.busy) + len(self.starting)
        return f"{slots} Ray actor{'s' * (slots > 1)}, one {self.kind} each" if slots else "no Ray actor yet"

    def poll(self) -> list[Outcome]:
        outcomes = super().poll()
        self.add_slots()
        return outcomes

    def add_slots(self) -> None:
        """Start actors where machines have joined or an actor died.

        Raises:
            UserError: the head has not responded for `HEAD_SECONDS`, or no actor starts.
        """
        now = time.monotonic()
        silence = now - self.last_response
        if silence > HEAD_SECONDS:
            raise UserError(
                f"the head of the Ray cluster has not responded for {HEAD_SECONDS:.0f} s; once there is a cluster "
                "again, the same command resumes"
            )
        nodes = self.nodes
        self.free = [slot for slot in self.free if isinstance(slot, RaySlot) and slot.alive and slot.node in nodes]
        self._take_started(now)
        used = len(self.free) + len(self.busy) + len(self.starting)
        if now >= self.next_start and silence < 2 * REFRESH_SECONDS:
            self.starting += [self.start_actor() for _ in range(min(self.slots, sum(nodes.values())) - used)]
        if self.free or self.busy:
            self.last_slot = now
        elif now - self.last_slot > IDLE_SECONDS:
            self._print(f"waiting for Ray: no free {self.kind} on its {len(nodes)} machines yet")

    def _list_nodes(self) -> None:
        """The slots of each machine, by its id."""
        nodes = [node for node in ray.nodes() if node["Alive"]]
        self.nodes = {node["NodeID"]: int(node["Resources"].get(self.kind, 0)) for node in nodes}
        self.last_response = time.monotonic()

    def _watch_nodes(self) -> None:
        """In a thread of its own: without a head the call blocks, and Ray aborts the process after a minute."""
        while not self.closed.wait(REFRESH_SECONDS):
            with suppress(Exception):  # the head is away, or Ray was shut down meanwhile
                self._list_nodes()

    def _take_started(self, now: float) -> None:
        """Make free slots of the actors that run now."""
        reason = ""
        for slot in list(self.starting):
            try:
                if not slot.started():
                    continue
                self.free.append(slot)
                self.failed_starts = 0
            except RayError as error:
                reason = f"a Ray actor did not start: {_last_line(error)}"
            self.starting.remove(slot)
        if reason:
            self.failed_starts += 1
            self.next_start = now + min(60, 2**self.failed_starts)
            if self.failed_starts > MAX_FAILED_STARTS and not (self.free or self.busy or self.starting):
                raise UserError(reason)
            self._print(reason)

    def _print(self, message: str) -> None:
        if message not in self.printed:
            self.printed.add(message)
            print(message, flush=True)

    def __exit__(self, *_: object) -> None:
        self.closed.set()
        ray.shutdown()  # ends all actors, whatever they do


class RaySlot(Slot):
    """An actor of `Worker`. Ray does not restart it: a death is reported, and a new slot takes its place."""

    def __init__(self, actor: Any) -> None:
        self.actor = actor
        self.node_reference = self.actor.node.remote()
        self.node = ""
        self.alive = True

    def started(self) -> bool:
        """Whether the actor runs.

        Raises:
            RayError: it could not be started.
        """
        if ray.wait([self.node_reference], timeout=0)[0]:
            self.node = ray.get(self.node_reference)
        return bool(self.node)

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.reference = self.actor.run.remote(function, *arguments)

    def result(self) -> tuple[Any, Exception | None] | None:
        ready, _ = ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            return ray.get(self.reference), None
        except RayTaskError as error:  # the function raised
            cause = error.cause
            return None, cause if isinstance(cause, Exception) else RuntimeError(_last_line(error))
        except RayError as error:
            self.alive = False
            return None, WorkerDiedError(_first_line(error))

    def close(self) -> None:
        """Nothing: Ray ends an actor that nobody refers to. `ray.kill` would wait for a head that has died."""


class Worker:
    """Runs functions in an actor's process, in the driver's folder, which is at the same path on every machine."""

    def __init__(self, folder: str, environment: dict[str, str]) -> None:
        os.chdir(folder)
        forget_launchers()
        os.environ.update(environment)
        set_defaults()

    def node(self) -> str:
        """The id of the machine."""
        return str(ray.get_runtime_context().get_node_id())

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The value of a function."""
        return function(*arguments)


def _connect(address: str) -> None:
    """Try `HOST:PORT`: at an address where nothing listens `ray.init` would try for minutes."""
    host, _, port = address.rpartition(":")
    if port.isdecimal() and "/" not in host:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()


def _first_line(error: Exception) -> str:
    return next(iter(str(error).splitlines()), type(error).__name__)[:200]


def _last_line(error: Exception) -> str:
    return next(iter(reversed(str(error).strip().splitlines())), type(error).__name__)[:200]
