"""Keras, as the benchmarks ask it: a process of its own environment (.keras-venv, made by `make bench`)."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import bare
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError

PYTHON = Path(".keras-venv/bin/python")


class Keras:
    """A running `keras_worker.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def ask(self, do: str, **arguments: Any) -> dict[str, Any]:
        """Have one of the worker's methods done."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps({"do": do, **arguments}), file=self.process.stdin, flush=True)
        answer = self.process.stdout.readline()
        if not answer:
            raise RuntimeError(f"Keras ended at {do}, status {self.process.wait()}")
        return json.loads(answer)  # type: ignore[no-any-return]


@contextmanager
def started(threads: int | None = None) -> Iterator[Keras]:
    """A Keras that waits for what it is asked; `threads` are TensorFlow's (None: as it likes).

    Raises:
        UserError: its environment is not there.
    """
    if not PYTHON.exists():
        raise UserError(f"{PYTHON} is not there: `make .keras-venv/.installed`")
    # -P: benchmarks/keras.py must not be what the worker imports
    line = [str(PYTHON), "-P", "benchmarks/keras_worker.py", *([] if threads is None else [str(threads)])]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Keras(process)
        finally:
            assert process.stdin
            process.stdin.close()  # it ends by itself


def give(keras: Keras, trained: TokenizedReviews, scored: TokenizedReviews) -> None:
    """Let it read tokenized reviews, padded as `pad_sequences` pads."""
    with tempfile.TemporaryDirectory() as folder:
        (ids, labels), (test_ids, test_labels) = bare.arrays(trained), bare.arrays(scored)
        names = {"train_ids": ids, "train_labels": labels, "test_ids": test_ids, "test_labels": test_labels}
        np.savez(f"{folder}/reviews.npz", **{name: array.numpy() for name, array in names.items()})
        keras.ask("read", path=f"{folder}/reviews.npz")
