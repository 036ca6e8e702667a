"""A GPU: the full training against a minimal cuDNN loop, cuDNN's LSTM layer in each precision, a search's trial.

    python -m benchmarks.gpu [--quick]

LSTM and BiLSTM, hidden size 128 and 512. The batches of the minimal loop are on the device before its clock runs. Every
rate is also shown as a share of the device's own matrix product in that precision. Without a GPU nothing is measured.
"""

import os
import statistics
import time
from collections.abc import Callable
from contextlib import nullcontext
from itertools import product

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks import full_training, minimal_loops, search
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.models import Classifier
from sentiment_rnn.params import ModelParams

TITLE = "GPU"
SIZES = tuple(product(("lstm", "bilstm"), (128, 512)))
BATCH, STEPS, FEATURES = 256, 400, 128  # of the layer alone
MODES = ("float32", "TF32", "bfloat16 tensors", "bfloat16 autocast")


class GPUClock(full_training.Clock):
    """A clock that waits for the device."""

    def pause(self) -> None:
        torch.cuda.synchronize()
        super().pause()

    def on_train_epoch_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        torch.cuda.synchronize()


def device_seconds(run: Callable[[], object], repeats: int = 10, warm_up: int = 3) -> float:
    """Median seconds of a call, with the kernels that it started."""
    taken = []
    for repeat in range(-warm_up, repeats):
        torch.cuda.synchronize()
        begin = time.perf_counter()
        run()
        torch.cuda.synchronize()
        if repeat >= 0:
            taken.append(time.perf_counter() - begin)
    return statistics.median(taken)


def set_tf32(enabled: bool) -> None:
    """Whether float32 matrix products and cuDNN's layers may use TF32."""
    torch.backends.cuda.matmul.allow_tf32 = enabled
    torch.backends.cudnn.allow_tf32 = enabled


def matrix_flops(dtype: torch.dtype, tf32: bool, size: int = 8192) -> float:
    """FLOP/s of a matrix product on the device."""
    set_tf32(tf32)
    a, b = (torch.randn(size, size, device="cuda").to(dtype) for _ in range(2))
    return 2 * size**3 / device_seconds(lambda: a @ b)


def layer_flops(features: int, hidden: int, directions: int) -> float:
    """FLOPs of a token in an LSTM layer, forward and backward: three matrix products with all of its weights."""
    return 3 * 2 * directions * 4 * hidden * (features + hidden)


def layer_step(hidden: int, bidirectional: bool, mode: str) -> tuple[float, str]:
    """Seconds of a step, forward and backward, of cuDNN's LSTM alone; the type of its output."""
    set_tf32(mode == "TF32")
    dtype = torch.bfloat16 if mode == "bfloat16 tensors" else torch.float32
    layer = nn.LSTM(FEATURES, hidden, bidirectional=bidirectional, device="cuda", dtype=dtype)
    x = torch.randn(STEPS, BATCH, FEATURES, device="cuda", dtype=dtype, requires_grad=True)
    found = ""

    def step() -> None:
        nonlocal found
        with torch.autocast("cuda", torch.bfloat16) if mode == "bfloat16 autocast" else nullcontext():
            output = layer(x)[0]
        found = str(output.dtype).removeprefix("torch.")
        output.float().sum().backward()

    return device_seconds(step), found


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
    peaks = {
        "float32": matrix_flops(torch.float32, tf32=False),
        "TF32": matrix_flops(torch.float32, tf32=True),
        "bfloat16": matrix_flops(torch.bfloat16, tf32=True),
    }
    ratios, rows = {}, []

    def row(what: str, mode: str, output: str, tokens: float, taken: float, flops: float) -> None:
        rate, peak = tokens / taken, peaks[mode.split()[0]]
        rows.append([what, mode, output, f"{rate:,.0f}", f"{flops * rate / 1e12:.1f}", f"{flops * rate / peak:.1%}"])

    sizes = [("bilstm", 128)] if quick else SIZES
    for (name, hidden), mode in product(sizes, MODES):
        bidirectional = name == "bilstm"
        taken, output = layer_step(hidden, bidirectional, mode)
        flops = layer_flops(FEATURES, hidden, 1 + bidirectional)
        row(f"cuDNN layer, {name} {hidden}", mode, output, BATCH * STEPS, taken, flops)
    for name, hidden in sizes:
        changes = {"hidden_size": hidden, "max_epochs": 2, "batch_size": BATCH, "word_dropout": 0.0}
        model = params.load().model_of(name).model_copy(update=changes)
        set_tf32(True)
        full, minimal = full_seconds(model), minimal_seconds(model)
        reviews, _ = minimal_loops.load_splits(model, "data/tokens")
        tokens = int(reviews.lengths.clip(max=model.max_length).sum())
        flops = layer_flops(model.embedding_size, hidden, 1 + (name == "bilstm"))
        ratios[f"full training / minimal loop, {name} {hidden}"] = Ratio(full / minimal, 1 / 0.8)
        row(f"full training, {name} {hidden}", "TF32", "float32", tokens, full, flops)
        row(f"minimal loop, {name} {hidden}", "TF32", "float32", tokens, minimal, flops)
    columns = [
        "what",
        "precision",
        "output of the layers",
        "tokens/s",
        "TFLOP/s of the layers",
        "of the matrix product",
    ]
    trials = search.run(1, os.sched_getaffinity(0), 4 if quick else 8, "gpu")
    fit = statistics.median(trial.user_attrs["fit_seconds"] for trial in trials)
    overhead = statistics.median(search.overheads(trials, 1))
    products = ", ".join(f"{name} {flops / 1e12:.0f}" for name, flops in peaks.items())
    notes = [
        f"Matrix product of 8192 x 8192, TFLOP/s: {products}.",
        f"Search, one worker, `{search.ARCHITECTURE}` on {search.FRACTION:.0%} of the training reviews: "
        f"{search.trials_per_minute(trials):.1f} trials per minute, {fit:.2f} s of each in its epoch, {overhead:.2f} s "
        "beside it.",
    ]
    return Result(ratios, columns, rows, notes)


if __name__ == "__main__":
    command("gpu", TITLE, measure)
