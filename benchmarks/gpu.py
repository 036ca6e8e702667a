"""Tokens a second on a GPU: the train path against a bare loop of the same mathematics.

    python -m benchmarks.gpu [--quick]

LSTM and BiLSTM, hidden 128 and 512, in 32-true and bf16-mixed. The bare loop's batches are on the device before its
clock runs. Without a GPU it says so and measures nothing.
"""

import time
from itertools import product
from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F

from benchmarks import bare, trainpath
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training.fit import fit
from sentiment_rnn.training.logger import RunLogger

TITLE = "GPU: tokens a second"


class GPUClock(trainpath.Clock):
    """The clock waits for the device."""

    def pause(self) -> None:
        torch.cuda.synchronize()
        super().pause()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        torch.cuda.synchronize()


def bare_seconds(model: ModelParams, precision: str) -> float:
    """An epoch of forward, backward and Adam over batches that are on the device."""
    reviews, _ = bare.splits(model, "data/tokens")
    batches: list[Any] = [
        tuple(tensor.cuda() for tensor in reviews[rows])
        for rows in BucketBatchSampler(reviews.lengths, reviews.encoding, model.batch_size, 1)
    ]
    classifier = Classifier(**model.architecture()).cuda()
    optimizer = torch.optim.Adam(classifier.parameters(), lr=model.learning_rate, fused=True)
    for few in (batches[:20], batches):  # the first time it only warms up
        torch.cuda.synchronize()
        began = time.perf_counter()
        for ids, lengths, labels in few:
            optimizer.zero_grad()
            with torch.autocast("cuda", torch.bfloat16, enabled=precision == "bf16-mixed"):
                loss = F.binary_cross_entropy_with_logits(classifier(ids, lengths).float(), labels)
            loss.backward()
            if model.gradient_clip is not None:
                torch.nn.utils.clip_grad_norm_(classifier.parameters(), model.gradient_clip)
            optimizer.step()
        torch.cuda.synchronize()
        taken = time.perf_counter() - began
    return taken


def path_seconds(model: ModelParams, precision: str) -> float:
    """The second epoch of the train path."""
    trainer = params.load().trainer.model_copy(update={"accelerator": "gpu", "devices": 1, "precision": precision})
    clock = GPUClock()
    with trainpath.temporary_store() as folder:
        logger = RunLogger(trainpath.new_run())
        folders = {"tokens": trainpath.TOKENS, "checkpoints": folder / "checkpoints"}
        fit("benchmark", model, trainer, 1, **folders, logger=logger, callbacks=[clock])
    return clock.epochs[-1]


def measure(quick: bool) -> Result:
    if not torch.cuda.is_available():
        return Result({}, [], [], ["Not measured: no GPU was at hand."])
    ratios, rows = {}, []
    for name, hidden, precision in product(("lstm", "bilstm"), (128, 512), ("32-true", "bf16-mixed")):
        if quick and (name, hidden) != ("bilstm", 128):
            continue
        changes = {"hidden_size": hidden, "max_epochs": 2, "batch_size": 256, "word_dropout": 0.0}
        model = params.load().model_of(name).model_copy(update=changes)
        own, other = path_seconds(model, precision), bare_seconds(model, precision)
        reviews, _ = bare.splits(model, "data/tokens")
        tokens = int(reviews.lengths.clip(max=model.max_length).sum())
        what = f"{name} {hidden}, {precision}"
        ratios[f"train path / bare loop, {what}"] = Ratio(own / other, 1 / 0.8)
        rows.append([what, f"{tokens / own:,.0f}", f"{tokens / other:,.0f}"])
    notes = [torch.cuda.get_device_name(0)]
    return Result(ratios, ["model", "train path, tokens a second", "bare loop"], rows, notes)


if __name__ == "__main__":
    command("gpu", TITLE, measure)
