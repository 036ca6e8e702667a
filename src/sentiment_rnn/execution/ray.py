"""Slots on a Ray cluster: one actor each. Machines join by `ray start --address=HEAD:PORT`, at any time."""

import os
from collections.abc import Callable
from typing import Any

from sentiment_rnn.errors import UserError
from sentiment_rnn.execution.engine import Engine, Slot, WorkerDiedError
from sentiment_rnn.execution.environment import forget_launchers

try:
    import ray
except ImportError as error:
    raise UserError(f"RAY_ADDRESS is set, but {error}: pip install 'sentiment-rnn[ray]', or unset it") from error

HANDED_ON = ("MLFLOW_TRACKING_URI", "OPTUNA_STORAGE")  # environment variables of the driver that actors need


class RayEngine(Engine):
    """Actors of a cluster: one per GPU, else one per core.

    Args:
        address: of the cluster, as RAY_ADDRESS has it.
        slots: their largest number; the cluster may have room for fewer.

    Raises:
        UserError: the cluster does not respond.
    """

    def __init__(self, address: str, slots: int) -> None:
        super().__init__()
        try:
            ray.init(address=address, log_to_driver=False, logging_level="error")
        except Exception as error:
            # Ray's errors are of many types, from a refused connection to another version
            reason = str(error).splitlines()[0][:200] if str(error) else type(error).__name__
            raise UserError(
                f"no Ray cluster at RAY_ADDRESS={address} ({reason}): `ray start --head`, or unset it"
            ) from error
        self.kind = "GPU" if ray.cluster_resources().get("GPU") else "CPU"
        self.slots = slots
        self.add_slots()

    def describe(self) -> str:
        slots = len(self.free) + len(self.busy)
        return f"{slots} Ray actor{'s' * (slots > 1)}, one {self.kind} each"

    def add_slots(self) -> None:
        self.free = [slot for slot in self.free if not (isinstance(slot, RaySlot) and slot.dead)]
        used = len(self.free) + len(self.busy)
        room = int(ray.available_resources().get(self.kind, 0))
        self.free += [RaySlot(self.kind) for _ in range(min(room, self.slots - used))]

    def __exit__(self, *_: object) -> None:
        super().__exit__()
        ray.shutdown()


class RaySlot(Slot):
    """An actor. Ray does not restart it: a death is reported, and a new slot takes its place.

    Args:
        kind: `GPU` or `CPU`, of which it has one.
    """

    def __init__(self, kind: str) -> None:
        resources = {"num_gpus": 1} if kind == "GPU" else {"num_cpus": 1}
        environment = {name: os.environ[name] for name in HANDED_ON if name in os.environ}
        self.actor = ray.remote(max_restarts=0, **resources)(Worker).remote(os.getcwd(), environment)
        self.dead = False

    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.reference = self.actor.run.remote(function, *arguments)

    def result(self) -> tuple[Any, Exception | None] | None:
        ready, _ = ray.wait([self.reference], timeout=0)
        if not ready:
            return None
        try:
            return ray.get(self.reference), None
        except ray.exceptions.RayActorError as error:
            self.dead = True
            return None, WorkerDiedError(str(error).splitlines()[0])
        except ray.exceptions.RayTaskError as error:
            cause = error.cause
            return None, cause if isinstance(cause, Exception) else error

    def close(self) -> None:
        ray.kill(self.actor)


class Worker:
    """Runs functions in an actor's process.

    Args:
        folder: the project, which is at the same path on every machine.
        environment: variables of the driver.
    """

    def __init__(self, folder: str, environment: dict[str, str]) -> None:
        os.chdir(folder)
        forget_launchers()
        os.environ.update(environment)

    def run(self, function: Callable[..., Any], *arguments: Any) -> Any:
        """The value of a function."""
        return function(*arguments)
