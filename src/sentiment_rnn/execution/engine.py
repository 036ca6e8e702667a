"""The interface of an engine: slots that each run one function at a time."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, NamedTuple


class WorkerDiedError(Exception):
    """The process of a slot ended without a result."""


class Outcome(NamedTuple):
    """The end of a function: its key, its value or the error that it raised (`WorkerDiedError`: none could be)."""

    key: int
    value: Any
    error: Exception | None


class Slot(ABC):
    """One process on one device, which loads libraries and data once."""

    @abstractmethod
    def submit(self, function: Callable[..., Any], *arguments: Any) -> None:
        """Start a function of an importable module."""

    @abstractmethod
    def result(self) -> tuple[Any, Exception | None] | None:
        """The value or the error of the function; None while it runs."""

    @abstractmethod
    def close(self) -> None:
        """End the process, whatever it does."""


class Engine(ABC):
    """Slots, free and busy; in a `with` block, which no process of theirs outlives."""

    def __init__(self) -> None:
        self.free: list[Slot] = []
        self.busy: dict[int, Slot] = {}

    @abstractmethod
    def describe(self) -> str:
        """The number of slots and their devices."""

    def add_slots(self) -> None:  # noqa: B027
        """Add the slots of machines that have joined since."""

    def has_room(self) -> bool:
        """Whether a slot is free."""
        if not self.free:
            self.add_slots()
        return bool(self.free)

    def submit(self, key: int, function: Callable[..., Any], *arguments: Any) -> None:
        """Start a function of an importable module on a free slot: `has_room` tells whether there is one."""
        self.busy[key] = self.free[-1]  # in this order an interrupt at any moment leaves no slot that is not closed
        self.free.pop().submit(function, *arguments)

    def poll(self) -> list[Outcome]:
        """The outcomes of the functions that have ended since the last call."""
        outcomes = []
        for key, slot in list(self.busy.items()):
            if (result := slot.result()) is not None:
                self.free.append(slot)
                del self.busy[key]
                outcomes.append(Outcome(key, *result))
        return outcomes

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        for slot in [*self.free, *self.busy.values()]:
            slot.close()
