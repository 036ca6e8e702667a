"""The documents' recipe on Keras and TensorFlow, in their own environment: does what it is told, in JSON, line by line.

`benchmarks.keras` starts it by its path and talks to it. It imports nothing of this project.
"""

import json
import os
import sys
import time
from typing import Any

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from keras import layers


class Worker:
    """Its public methods are what can be asked for; each gives seconds and what else there is to tell."""

    def new(self, seed: int, vocab_size: int = 10_000) -> dict[str, Any]:
        """A network that has learned nothing."""
        began = time.perf_counter()
        keras.utils.set_random_seed(seed)
        self.model = keras.Sequential(
            [
                layers.Embedding(vocab_size, 128),
                layers.Bidirectional(layers.LSTM(64)),
                layers.Dropout(0.5),
                layers.Dense(1, activation="sigmoid"),
            ]
        )
        self.model.compile(optimizer="adam", loss="binary_crossentropy", metrics=["accuracy"])
        return {"seconds": time.perf_counter() - began, "keras": keras.__version__, "tensorflow": tf.__version__}

    def read(self, path: str) -> dict[str, Any]:
        """Take up an .npz of train_ids, train_labels, test_ids, test_labels."""
        began = time.perf_counter()
        self.data = dict(np.load(path))
        return {"seconds": time.perf_counter() - began}

    def fit(self, reviews: int | None = None) -> dict[str, Any]:
        """One epoch over the first reviews, or over all."""
        ids, labels = self.data["train_ids"][:reviews], self.data["train_labels"][:reviews]
        began = time.perf_counter()
        self.model.fit(ids, labels, batch_size=128, epochs=1, verbose=0)
        return {"seconds": time.perf_counter() - began}

    def score(self) -> dict[str, Any]:
        """Accuracy on test."""
        began = time.perf_counter()
        _, accuracy = self.model.evaluate(self.data["test_ids"], self.data["test_labels"], batch_size=256, verbose=0)
        return {"seconds": time.perf_counter() - began, "accuracy": float(accuracy)}

    def texts(self, path: str, vocab_size: int = 10_000) -> dict[str, Any]:
        """Take up a JSON list of texts, and learn a vocabulary from the first 10,000."""
        with open(path) as file:
            self.reviews = json.load(file)
        self.vectorize = layers.TextVectorization(max_tokens=vocab_size, output_sequence_length=200)
        began = time.perf_counter()
        self.vectorize.adapt(self.reviews[:10_000], batch_size=1024)
        return {"seconds": time.perf_counter() - began}

    def tokenize(self) -> dict[str, Any]:
        """Ids of all texts, in batches of 1,024."""
        began = time.perf_counter()
        for start in range(0, len(self.reviews), 1024):
            self.vectorize(tf.constant(self.reviews[start : start + 1024])).numpy()
        return {"seconds": time.perf_counter() - began}

    def predict(self, rows: list[int]) -> dict[str, Any]:
        """Probabilities of these texts, in one call."""
        texts = [self.reviews[row] for row in rows]
        began = time.perf_counter()
        self.model.predict(self.vectorize(tf.constant(texts)), batch_size=256, verbose=0)
        return {"seconds": time.perf_counter() - began}


def main() -> None:
    # what a library prints must not come between the answers
    answers, sys.stdout = sys.stdout, sys.stderr
    if len(sys.argv) > 1:
        tf.config.threading.set_intra_op_parallelism_threads(int(sys.argv[1]))
        tf.config.threading.set_inter_op_parallelism_threads(int(sys.argv[1]))
    worker = Worker()
    for line in sys.stdin:
        asked = json.loads(line)
        print(json.dumps(getattr(worker, asked.pop("do"))(**asked)), file=answers, flush=True)


if __name__ == "__main__":
    main()
