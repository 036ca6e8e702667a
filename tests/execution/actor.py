"""Prints what an actor of the cluster at RAY_ADDRESS finds around it, and an error that a function of it raises."""

import json
import os
import time
from collections.abc import Callable
from pathlib import Path

import sentiment_rnn
from sentiment_rnn.errors import UserError
from sentiment_rnn.execution import Engine, Outcome, open_engine


def environment() -> dict[str, str]:
    return dict(os.environ) | {"folder": str(Path.cwd()), "package": sentiment_rnn.__file__}


def fail(message: str) -> None:
    raise UserError(message)


def outcome(engine: Engine, function: Callable[..., object], *arguments: object) -> Outcome:
    while not engine.has_room():
        engine.poll()
        time.sleep(0.1)
    engine.submit(1, function, *arguments)
    while not (outcomes := engine.poll()):
        time.sleep(0.1)
    return outcomes[0]


if __name__ == "__main__":
    import actor

    with open_engine(1, 9, devices=[], cores=1, logs=Path()) as engine:
        print(json.dumps(outcome(engine, actor.environment).value))
        print(repr(outcome(engine, actor.fail, "a folder is missing").error))
