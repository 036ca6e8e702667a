"""How time and memory grow: with length, batch, hidden size and data; two processes; all of IMDB, epoch by epoch.

python -m benchmarks.scaling [--quick]
"""

import itertools
import json
import statistics
import sys
import time

import torch

from benchmarks.measure import Ratio, Result, child, command, in_turn, peak_megabytes
from sentiment_rnn import params
from sentiment_rnn.models import Classifier
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Scaling: what grows how, two processes, memory"
BASE = {"steps": 200, "batch": 64, "hidden": 64}
GROWN = {"steps": (100, 200, 400), "batch": (32, 64, 128), "hidden": (64, 128, 256)}
GIB = 1024


def stepper(sizes: dict[str, int]):
    """A function that takes one training step of params.yaml's `bilstm` in this size, and gives its seconds."""
    chosen = params.load()
    model = chosen.model_of("bilstm").model_copy(update={"hidden_size": sizes["hidden"]})
    half = resolve_precision(chosen.trainer) == "bf16-mixed"
    classifier = Classifier(**model.architecture())
    optimizer = torch.optim.Adam(classifier.parameters(), fused=True)
    ids = torch.randint(2, model.vocab_size, (sizes["steps"], sizes["batch"]))
    lengths = torch.full((sizes["batch"],), sizes["steps"])

    def step() -> float:
        began = time.perf_counter()
        optimizer.zero_grad()
        with torch.autocast("cpu", torch.bfloat16, enabled=half):
            loss = classifier(ids, lengths).float().square().mean()
        loss.backward()
        optimizer.step()
        return time.perf_counter() - began

    return step


def work(sizes: dict[str, int]) -> float:
    """Multiplications of the BiLSTM, without a factor: what time may grow with."""
    return sizes["steps"] * sizes["batch"] * sizes["hidden"] * (128 + sizes["hidden"])


def growth(quick: bool) -> tuple[dict[str, Ratio], list[list[str]]]:
    """Time and memory of a step as one size doubles, the others as in `BASE`."""
    ratios, rows = {}, []
    for size, values in GROWN.items():
        several = {value: BASE | {size: value} for value in values}
        steppers = {str(value): stepper(sizes) for value, sizes in several.items()}
        taken = in_turn(steppers, 5 if quick else 25, warm_up=2)
        memory = {value: child("benchmarks.scaling", "--memory", json.dumps(sizes)) for value, sizes in several.items()}
        for less, more in itertools.pairwise(values):
            time_grows = statistics.median(b / a for a, b in zip(taken[str(less)], taken[str(more)], strict=True))
            work_grows = work(several[more]) / work(several[less])
            ratios[f"time / work, {size} {less} to {more}"] = Ratio(time_grows / work_grows, 1.1)
        rows += [
            [f"{size} {value}", f"{1000 * statistics.median(taken[str(value)]):.0f}", f"{memory[value]:,}"]
            for value in values
        ]
    return ratios, rows


def measure(quick: bool) -> Result:
    ratios, rows = growth(quick)
    path = "benchmarks.trainpath"
    if quick:
        return Result(ratios, ["size", "ms a step", "MiB beyond the imports"], rows)
    parts = {share: child(path, "bilstm_keras", "--share", str(share), "--epochs", "2") for share in (0.25, 0.5)}
    # the documents' recipe on all reviews: time, two processes, memory by epoch
    one = child(path, "bilstm_keras", "--epochs", "4")
    two = child(path, "bilstm_keras", "--epochs", "2", "--devices", "2")
    steady = statistics.median(one["epochs"][1:])
    ratios |= {
        "two processes of a thread / one of two, an epoch": Ratio(two["epochs"][-1] / steady),
        "time / data, half to all": Ratio(steady / parts[0.5]["epochs"][-1] / 2, 1.1),
        "time / data, a quarter to half": Ratio(parts[0.5]["epochs"][-1] / parts[0.25]["epochs"][-1] / 2, 1.1),
        "peak memory / 2 GiB, all reviews": Ratio(one["peak_megabytes"] / (2 * GIB), 1.0),
        "memory after epoch 4 / after epoch 2": Ratio(one["megabytes"][3] / one["megabytes"][1], 1.05),
    }
    rows += [
        [f"an epoch of {share:.0%} of the reviews", f"{1000 * each['epochs'][-1]:,.0f}", f"{each['peak_megabytes']:,}"]
        for share, each in parts.items()
    ]
    rows += [
        ["an epoch of all reviews", f"{1000 * steady:,.0f}", f"{one['peak_megabytes']:,}"],
        ["... by two processes", f"{1000 * two['epochs'][-1]:,.0f}", f"{two['peak_megabytes']:,} each"],
    ]
    by_epoch = ", ".join(f"{each:,}" for each in one["megabytes"])
    notes = [
        "Sizes: params.yaml's `bilstm`, 200 tokens, 64 reviews, hidden 64, one of them changed; memory is what a "
        "process takes beyond its imports. Epochs: the documents' recipe through the train path, memory with imports.",
        f"Memory of the training on all reviews after each of its epochs, MiB: {by_epoch}.",
    ]
    return Result(ratios, ["what", "ms", "peak, MiB"], rows, notes)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--memory"]:
        before = peak_megabytes()
        step = stepper(json.loads(sys.argv[2]))
        for _ in range(3):
            step()
        print(peak_megabytes() - before)
    else:
        command("scaling", TITLE, measure)
