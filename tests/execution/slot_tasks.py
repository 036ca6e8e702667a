"""Functions that the tests run in slots."""

import os
import signal
import time
from typing import NoReturn


def square(number: int) -> tuple[int, int]:
    """The square, and the process that computed it."""
    return number**2, os.getpid()


def fail(message: str) -> NoReturn:
    raise ValueError(message)


class UnpicklableError(Exception):
    def __init__(self, one: int, two: int) -> None:
        super().__init__("its arguments are lost")


def fail_unpicklably() -> NoReturn:
    raise UnpicklableError(1, 2)


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def sleep(seconds: float) -> None:
    time.sleep(seconds)


def environment(*names: str) -> dict[str, str | None]:
    return {name: os.environ.get(name) for name in names}


def write() -> None:
    print("an output")
