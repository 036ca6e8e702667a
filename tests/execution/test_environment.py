"""Ctrl-C and SIGTERM."""

import os
import signal
import time
import types

import pytest

from sentiment_rnn.execution.environment import interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_but_not_a_transaction_of_a_store(number):
    before = signal.getsignal(number)
    store = types.ModuleType("mlflow.store")
    exec(
        "def transaction(number, ended):\n os.kill(os.getpid(), number)\n time.sleep(0.2)\n ended.append(number)",
        store.__dict__ | {"os": os, "time": time},
        scope := {},
    )
    ended: list[int] = []
    start = time.monotonic()

    def interrupted() -> None:
        with interruptible():
            scope["transaction"](number, ended)
            time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended, "the transaction"
    assert time.monotonic() - start < 5
    assert signal.getsignal(number) is before
