"""The reference script on Keras and TensorFlow, as a worker: one JSON request per line of stdin, one result per line.

`benchmarks.keras` starts it by its path, in an environment of its own. It imports nothing of this project.
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
    """Every method returns its seconds, and possibly more."""

    def new(self, seed: int, vocab_size: int = 10_000) -> dict[str, Any]:
        """Make an untrained network."""
        begin = time.perf_counter()
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
        return {"seconds": time.perf_counter() - begin, "keras": keras.__version__, "tensorflow": tf.__version__}

    def read(self, path: str) -> dict[str, Any]:
        """Load an .npz of train_ids, train_labels, test_ids, test_labels."""
        begin = time.perf_counter()
        self.data = dict(np.load(path))
        return {"seconds": time.perf_counter() - begin}

    def fit(self, reviews: int | None = None) -> dict[str, Any]:
        """Train one epoch on the first `reviews`, or on all."""
        ids, labels = self.data["train_ids"][:reviews], self.data["train_labels"][:reviews]
        begin = time.perf_counter()
        self.model.fit(ids, labels, batch_size=128, epochs=1, verbose=0)
        return {"seconds": time.perf_counter() - begin}

    def texts(self, path: str, vocab_size: int = 10_000) -> dict[str, Any]:
        """Load a JSON list of texts; fit the vocabulary to the first 10,000."""
        with open(path) as file:
            self.reviews = json.load(file)
        self.vectorize = layers.TextVectorization(max_tokens=vocab_size, output_sequence_length=200)
        begin = time.perf_counter()
        self.vectorize.adapt(self.reviews[:10_000], batch_size=1024)
        return {"seconds": time.perf_counter() - begin}

    def tokenize(self) -> dict[str, Any]:
        """Tokenize all texts, in batches of 1,024."""
        begin = time.perf_counter()
        for start in range(0, len(self.reviews), 1024):
            self.vectorize(tf.constant(self.reviews[start : start + 1024])).numpy()
        return {"seconds": time.perf_counter() - begin}

    def predict(self, rows: list[int]) -> dict[str, Any]:
        """Predict these texts in one call."""
        texts = [self.reviews[row] for row in rows]
        begin = time.perf_counter()
        self.model.predict(self.vectorize(tf.constant(texts)), batch_size=256, verbose=0)
        return {"seconds": time.perf_counter() - begin}


def main() -> None:
    # what a library prints must not come between the results
    results, sys.stdout = sys.stdout, sys.stderr
    worker = Worker()
    for line in sys.stdin:
        request = json.loads(line)
        print(json.dumps(getattr(worker, request.pop("method"))(**request)), file=results, flush=True)


if __name__ == "__main__":
    main()
