"""Client of Keras, which runs in a process of its own environment (.keras-venv, made by `make bench`)."""

import json
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import minimal_loops
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError

PYTHON = Path(".keras-venv/bin/python")


class Keras:
    """A running `keras_worker.py`."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    def call(self, method: str, **arguments: Any) -> dict[str, Any]:
        """Call one of the worker's methods and return its result."""
        assert self.process.stdin
        assert self.process.stdout
        print(json.dumps({"method": method, **arguments}), file=self.process.stdin, flush=True)
        result = self.process.stdout.readline()
        if not result:
            raise RuntimeError(f"Keras ended at {method}, status {self.process.wait()}")
        return json.loads(result)  # type: ignore[no-any-return]


@contextmanager
def start() -> Iterator[Keras]:
    """Start a Keras worker for the block.

    Raises:
        UserError: its environment is missing.
    """
    if not PYTHON.exists():
        raise UserError(f"{PYTHON} is missing: run `make .keras-venv/.installed`")
    # -P: the worker must not import benchmarks/keras.py as keras
    line = [str(PYTHON), "-P", "benchmarks/keras_worker.py"]
    with subprocess.Popen(line, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Keras(process)
        finally:
            assert process.stdin
            process.stdin.close()  # ends the worker


def send_reviews(keras: Keras, train: TokenizedReviews, test: TokenizedReviews) -> None:
    """Send tokenized reviews, padded as by `pad_sequences`."""
    with tempfile.TemporaryDirectory() as folder:
        (ids, labels), (test_ids, test_labels) = minimal_loops.padded_arrays(train), minimal_loops.padded_arrays(test)
        arrays = {"train_ids": ids, "train_labels": labels, "test_ids": test_ids, "test_labels": test_labels}
        np.savez(f"{folder}/reviews.npz", **{name: array.numpy() for name, array in arrays.items()})
        keras.call("read", path=f"{folder}/reviews.npz")
