"""Growth of time and memory with length, batch, hidden size and data; two processes; memory by epoch.

python -m benchmarks.scaling [--quick]
"""

import itertools
import json
import statistics
import sys
import time
from collections.abc import Callable

import torch

from benchmarks.measure import Ratio, Result, command, interleaved, peak_megabytes, run_module
from sentiment_rnn import params
from sentiment_rnn.models import Classifier
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Scaling of time and memory, two processes"
BASE = {"length": 200, "batch": 64, "hidden": 64}
SIZES = {"length": (100, 200, 400), "batch": (32, 64, 128), "hidden": (64, 128, 256)}
GIB = 1024


def training_step(sizes: dict[str, int]) -> Callable[[], float]:
    """A function that takes one training step of params.yaml's `bilstm` in this size and returns its seconds."""
    chosen = params.load()
    model = chosen.model_of("bilstm").model_copy(update={"hidden_size": sizes["hidden"]})
    half = resolve_precision(chosen.trainer) == "bf16-mixed"
    classifier = Classifier(**model.architecture())
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    ids = torch.randint(2, model.vocab_size, (sizes["length"], sizes["batch"]))
    lengths = torch.full((sizes["batch"],), sizes["length"])

    def step() -> float:
        begin = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = classifier(ids, lengths).float().square().mean()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - begin

    return step


def work(sizes: dict[str, int]) -> float:
    """Multiplications of the BiLSTM, up to a constant factor."""
    return sizes["length"] * sizes["batch"] * sizes["hidden"] * (128 + sizes["hidden"])


def growth(quick: bool) -> tuple[dict[str, Ratio], list[list[str]]]:
    """Time and memory of a step as one size doubles and the others stay as in `BASE`."""
    ratios, rows = {}, []
    for size, values in SIZES.items():
        several = {value: BASE | {size: value} for value in values}
        steps = {str(value): training_step(sizes) for value, sizes in several.items()}
        taken = interleaved(steps, 5 if quick else 25, warm_up=2)
        memory = {
            value: run_module("benchmarks.scaling", "--memory", json.dumps(sizes)) for value, sizes in several.items()
        }
        for less, more in itertools.pairwise(values):
            time_growth = statistics.median(b / a for a, b in zip(taken[str(less)], taken[str(more)], strict=True))
            work_growth = work(several[more]) / work(several[less])
            ratios[f"time / work, {size} {less} to {more}"] = Ratio(time_growth / work_growth, 1.1)
        rows += [
            [f"{size} {value}", f"{1000 * statistics.median(taken[str(value)]):.0f}", f"{memory[value]:,}"]
            for value in values
        ]
    return ratios, rows


def measure(quick: bool) -> Result:
    ratios, rows = growth(quick)
    module = "benchmarks.full_training"
    if quick:
        return Result(ratios, ["size", "ms/step", "MiB beyond the imports"], rows)
    parts = {
        fraction: run_module(module, "bilstm_keras", "--fraction", str(fraction), "--epochs", "2")
        for fraction in (0.25, 0.5)
    }
    one = run_module(module, "bilstm_keras", "--epochs", "4")
    two = run_module(module, "bilstm_keras", "--epochs", "2", "--devices", "2")
    steady = statistics.median(one["epochs"][1:])
    ratios |= {
        "two processes of one thread / one process of two, an epoch": Ratio(two["epochs"][-1] / steady),
        "time / data, half to all": Ratio(steady / parts[0.5]["epochs"][-1] / 2, 1.1),
        "time / data, a quarter to half": Ratio(parts[0.5]["epochs"][-1] / parts[0.25]["epochs"][-1] / 2, 1.1),
        "peak memory / 2 GiB, all reviews": Ratio(one["peak_megabytes"] / (2 * GIB), 1.0),
        "memory after epoch 4 / after epoch 2": Ratio(one["megabytes"][3] / one["megabytes"][1], 1.05),
    }
    rows += [
        [f"epoch, {fraction:.0%} of the reviews", f"{1000 * each['epochs'][-1]:,.0f}", f"{each['peak_megabytes']:,}"]
        for fraction, each in parts.items()
    ]
    rows += [
        ["epoch, all reviews", f"{1000 * steady:,.0f}", f"{one['peak_megabytes']:,}"],
        ["epoch, all reviews, two processes", f"{1000 * two['epochs'][-1]:,.0f}", f"{two['peak_megabytes']:,} each"],
    ]
    by_epoch = ", ".join(f"{each:,}" for each in one["megabytes"])
    notes = [
        "Sizes: params.yaml's `bilstm` with 200 tokens, 64 reviews, hidden size 64, one of them changed; memory "
        "without the imports. Epochs: the full training of the reference script; memory with the imports.",
        f"Memory of the training on all reviews after each of its epochs, MiB: {by_epoch}.",
    ]
    return Result(ratios, ["size", "ms", "peak, MiB"], rows, notes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        before = peak_megabytes()
        step = training_step(json.loads(sys.argv[2]))
        for _ in range(3):
            step()
        print(peak_megabytes() - before)
    else:
        command("scaling", TITLE, measure)
