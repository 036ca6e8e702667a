"""Tokens per second on a GPU: the full training against a minimal cuDNN loop with the same arithmetic.

    python -m benchmarks.gpu [--quick]

LSTM and BiLSTM, hidden size 128 and 512. The batches of the minimal loop are on the device before its clock runs.
Without a GPU nothing is measured.
"""

import time
from itertools import product

import pytorch_lightning as pl
import torch
import torch.nn.functional as F

from benchmarks import full_training, minimal_loops
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams

TITLE = "GPU: tokens per second"


class GPUClock(full_training.Clock):
    """A clock that waits for the device."""

    def pause(self) -> None:
        torch.cuda.synchronize()
        super().pause()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        torch.cuda.synchronize()


def minimal_seconds(model: ModelParams) -> float:
    """Seconds of an epoch of forward, backward and Adam over batches on the device."""
    reviews, _ = minimal_loops.load_splits(model, "data/tokens")
    batches = [
        tuple(tensor.cuda() for tensor in reviews[rows])
        for rows in BucketBatchSampler(reviews.lengths, reviews.encoding, model.batch_size, 1)
    ]
    classifier = Classifier(**model.architecture()).cuda()
    optimizer = torch.optim.Adam(classifier.parameters(), lr=model.learning_rate, fused=True)
    taken = 0.0
    for several in (batches[:20], batches):  # the first pass builds the kernels
        torch.cuda.synchronize()
        begin = time.perf_counter()
        for ids, lengths, labels in several:
            optimizer.zero_grad()
            F.binary_cross_entropy_with_logits(classifier(ids, lengths), labels).backward()
            if model.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(classifier.parameters(), model.gradient_clip)
            optimizer.step()
        torch.cuda.synchronize()
        taken = time.perf_counter() - begin
    return taken


def full_seconds(model: ModelParams) -> float:
    """Seconds of the second epoch of the full training."""
    clock = GPUClock()
    with full_training.temporary_store() as folder:
        full_training.train(folder, model, [clock], accelerator="gpu")
    return clock.epochs[-1]


def measure(quick: bool) -> Result:
    if not torch.cuda.is_available():
        return Result({}, [], [], ["Not measured: the machine has no GPU."])
    ratios, rows = {}, []
    for name, hidden in product(("lstm", "bilstm"), (128, 512)):
        if quick and (name, hidden) != ("bilstm", 128):
            continue
        changes = {"hidden_size": hidden, "max_epochs": 2, "batch_size": 256, "word_dropout": 0.0}
        model = params.load().model_of(name).model_copy(update=changes)
        full, minimal = full_seconds(model), minimal_seconds(model)
        reviews, _ = minimal_loops.load_splits(model, "data/tokens")
        tokens = int(reviews.lengths.clip(max=model.max_length).sum())
        ratios[f"full training / minimal loop, {name} {hidden}"] = Ratio(full / minimal, 1 / 0.8)
        rows.append([f"{name} {hidden}", f"{tokens / full:,.0f}", f"{tokens / minimal:,.0f}"])
    columns = ["model", "full training, tokens/s", "minimal loop, tokens/s"]
    return Result(ratios, columns, rows, [torch.cuda.get_device_name(0)])


if __name__ == "__main__":
    command("gpu", TITLE, measure)
