"""Overhead of the full training (Lightning, MLflow, system metrics, checkpoints) over a minimal loop.

    python -m benchmarks.overhead [--quick]

Both run in one process, a few steps of one, then a few steps of the other, so that other load affects them alike. The
weights of both must be equal bit for bit, or the benchmark fails.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import pytorch_lightning as pl
import torch

from benchmarks import full_training, minimal_loops
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.models import Classifier
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Overhead of the full training over a minimal loop, an epoch of the reference script"
CHUNK = 8  # steps
SEED = 1


class Interleave(full_training.Clock):
    """After every `CHUNK` steps of the training, as many of the minimal loop, which has a random state of its own."""

    def __init__(self, minimal: Iterator[Classifier]) -> None:
        super().__init__()
        self.minimal = minimal
        self.steps = 0
        self.full_chunks: list[float] = []  # seconds
        self.minimal_chunks: list[float] = []
        self.classifier = next(minimal)
        self.random_state = torch.get_rng_state()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps += 1
        if self.steps % CHUNK and not trainer.is_last_batch:
            return
        before = self.epochs[-1]
        self.pause()
        if self.steps % CHUNK == 0:  # the last chunk is shorter
            self.full_chunks.append(self.epochs[-1] - before)
        random_state = torch.get_rng_state()
        torch.set_rng_state(self.random_state)
        begin = time.perf_counter()
        for _ in range(self.steps % CHUNK or CHUNK):
            self.classifier = next(self.minimal)
        self.minimal_chunks.append(time.perf_counter() - begin)
        self.random_state = torch.get_rng_state()
        torch.set_rng_state(random_state)
        self.resume()


def measure(quick: bool) -> Result:
    chosen = params.load()
    model = chosen.model_of("bilstm_keras").model_copy(update={"max_epochs": 1})
    precision = resolve_precision(chosen.trainer)
    fraction = 0.25 if quick else 1.0
    full, minimal, chunks = [], [], []
    with full_training.temporary_store() as folder:
        few, _ = minimal_loops.load_splits(model, "data/tokens", 0.02)
        list(minimal_loops.equivalent_steps(few, model, SEED, precision))  # builds the kernels
        for _ in range(1 if quick else 3):
            reviews, _ = minimal_loops.load_splits(model, "data/tokens", fraction)
            clock = Interleave(minimal_loops.equivalent_steps(reviews, model, SEED, precision))
            trained = full_training.train(folder, model, [clock], fraction, seed=SEED)
            assert trained is not None
            for name, weights in clock.classifier.state_dict().items():
                assert torch.equal(weights, trained.model.state_dict()[name]), f"{name}: the two loops differ"
            full += clock.epochs
            minimal.append(sum(clock.minimal_chunks))
            chunks += [a / b for a, b in zip(clock.full_chunks, clock.minimal_chunks, strict=False)]
    of_epoch = statistics.median(a / b for a, b in zip(full, minimal, strict=True))
    of_step = statistics.median(chunks)
    return Result(
        {
            "full training / minimal loop, an epoch": Ratio(of_epoch, 1.05),
            "full training / minimal loop, a step": Ratio(of_step),
        },
        ["loop", "s/epoch", "relative time"],
        [
            ["full training: Lightning, MLflow, checkpoints", f"{statistics.median(full):.1f}", f"{of_epoch:.3f}"],
            ["minimal", f"{statistics.median(minimal):.1f}", "1"],
        ],
        [
            f"{CHUNK} interleaved steps of each, {precision}, {len(full)} epochs; weights equal bit for bit. An epoch "
            "includes its checkpoints and its logging, but no evaluation."
        ],
    )


if __name__ == "__main__":
    command("overhead", TITLE, measure)
