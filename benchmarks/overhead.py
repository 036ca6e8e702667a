"""What the train path (Lightning, MLflow, system metrics, checkpoints) costs beside a bare loop of its mathematics.

    python -m benchmarks.overhead [--quick]

In one process, a few steps of the one, a few steps of the other, in turn: within a second the machine is the same for
both. Their weights end up equal bit for bit, or the benchmark fails.
"""

import statistics
import time
from typing import Any

import pytorch_lightning as pl
import torch

from benchmarks import bare, trainpath
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.models import Classifier
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Overhead: an epoch of the documents' recipe through the train path, and through a bare loop that does the same"
CHUNK = 8  # steps
SEED = 1


class Alternate(trainpath.Clock):
    """After every `CHUNK` steps of the training, as many of the other loop, with a random state of its own."""

    def __init__(self, other: Any) -> None:
        super().__init__()
        self.other = other
        self.steps = 0
        self.own: list[float] = []  # seconds of each chunk
        self.others: list[float] = []
        self.classifier: Classifier = next(other)
        self.state = torch.get_rng_state()

    def on_train_batch_end(self, trainer: pl.Trainer, *_: Any) -> None:
        self.steps += 1
        if self.steps % CHUNK and not trainer.is_last_batch:
            return
        before = self.epochs[-1]
        self.pause()
        if self.steps % CHUNK == 0:  # the last chunk is not whole
            self.own.append(self.epochs[-1] - before)
        mine = torch.get_rng_state()
        torch.set_rng_state(self.state)
        began = time.perf_counter()
        for _ in range(self.steps % CHUNK or CHUNK):
            self.classifier = next(self.other)
        self.others.append(time.perf_counter() - began)
        self.state = torch.get_rng_state()
        torch.set_rng_state(mine)
        self.resume()


def measure(quick: bool) -> Result:
    chosen = params.load()
    model = chosen.model_of("bilstm_keras").model_copy(update={"max_epochs": 1})
    precision = resolve_precision(chosen.trainer)
    share = 0.25 if quick else 1.0
    own, others, chunks = [], [], []
    with trainpath.temporary_store() as folder:
        warmed, _ = bare.splits(model, "data/tokens", 0.02)
        list(bare.same(warmed, model, SEED, precision))  # builds the kernels
        for _ in range(1 if quick else 3):
            reviews, _ = bare.splits(model, "data/tokens", share)
            alternate = Alternate(bare.same(reviews, model, SEED, precision))
            done = trainpath.train(folder, model, [alternate], share, seed=SEED)
            assert done is not None
            for name, weights in alternate.classifier.state_dict().items():
                assert torch.equal(weights, done.model.state_dict()[name]), f"{name}: the loops did not do the same"
            own += alternate.epochs
            others.append(sum(alternate.others))
            chunks += [a / b for a, b in zip(alternate.own, alternate.others, strict=False)]
    whole = statistics.median(a / b for a, b in zip(own, others, strict=True))
    steps = statistics.median(chunks)
    return Result(
        {"train path / bare loop, an epoch": Ratio(whole, 1.05), "train path / bare loop, a step": Ratio(steps)},
        ["loop", "epoch, s", "of the bare one"],
        [
            ["train path: Lightning, MLflow, checkpoints", f"{statistics.median(own):.1f}", f"{whole:.3f}"],
            ["bare", f"{statistics.median(others):.1f}", "1"],
        ],
        [
            f"{CHUNK} steps of each in turn, {precision}, {len(own)} epochs; weights equal bit for bit. An epoch is "
            "with its checkpoints and what it logs, without scoring."
        ],
    )


if __name__ == "__main__":
    command("overhead", TITLE, measure)
