"""Seconds from tokenized reviews to the documents' best test accuracy, 87.32%: a recipe of this project, and Keras.

    python -m benchmarks.accuracy [--quick]

Keras runs the documents' recipe for its four epochs. Of this project run the same recipe, for a comparison of the
accuracies, and what one would take for speed: `attention_lstm` as params.yaml has it, at the documents' 200 tokens and
protocol, for two epochs. The clock runs from the tokenized files on; building the model, kernels and graphs, and
scoring test after each epoch count.
"""

import statistics
import time

import pytorch_lightning as pl

from benchmarks import bare, keras, trainpath
from benchmarks.measure import Ratio, Result, command
from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.params import ModelParams

TITLE = "Time to 87.32% test accuracy, from tokenized reviews"
TARGET = 0.8732
FAST = "attention_lstm"
CHANGES = {"max_length": 200, "max_epochs": 2, "protocol": "document"}
Curve = list[tuple[float, float]]  # seconds since the start, test accuracy then


class Scores(pl.Callback):
    """When test was scored, and how well."""

    def __init__(self) -> None:
        self.began = time.perf_counter()
        self.curve: Curve = []

    def on_validation_end(self, trainer: pl.Trainer, module: pl.LightningModule) -> None:
        self.curve.append((time.perf_counter() - self.began, float(trainer.callback_metrics["test_accuracy"])))


def ours(model: ModelParams, seed: int) -> Curve:
    with trainpath.temporary_store() as folder:
        scores = Scores()
        trainpath.train(folder, model, [scores], seed=seed)
        return scores.curve


def theirs(model: ModelParams, seed: int, epochs: int) -> Curve:
    with keras.started() as baseline:
        baseline.ask("new", seed=seed)  # waits for the imports
        keras.give(baseline, *bare.splits(model, "data/tokens"))
        curve: Curve = []
        clock = baseline.ask("new", seed=seed)["seconds"]
        for _ in range(epochs):
            clock += baseline.ask("fit")["seconds"]
            scored = baseline.ask("score")
            clock += scored["seconds"]
            curve.append((clock, scored["accuracy"]))
        return curve


def reached(curve: Curve) -> float | None:
    """Seconds until the target, if it was reached."""
    return next((seconds for seconds, accuracy in curve if accuracy >= TARGET), None)


def measure(quick: bool) -> Result:
    chosen = params.load()
    document = chosen.model_of("bilstm_keras").model_copy(update={"max_epochs": 1 if quick else 4})
    fast = chosen.model_of(FAST).model_copy(update=CHANGES)
    curves: dict[str, list[Curve]] = {FAST: [], "Keras": [], "bilstm_keras": []}
    for seed in (1, 2) if not quick else (1,):
        curves[FAST].append(ours(fast, seed))
        curves["Keras"].append(theirs(document, seed, document.max_epochs))
    if not quick:
        curves[FAST].append(ours(fast, 3))
    curves["bilstm_keras"].append(ours(document, 1))

    times = [reached(curve) for curve in curves[FAST]]
    if None in times:
        notes = [f"{FAST} reached it with {sum(time is not None for time in times)} of {len(times)} seeds"]
        own = float("inf")
    else:
        notes = []
        own = statistics.median(time for time in times if time is not None)
    got = [time for curve in curves["Keras"] if (time := reached(curve)) is not None]
    descriptions.append(f"Keras reached it with {len(got)} of {len(curves['Keras'])} seeds.")
    second = statistics.median(curve[min(1, len(curve) - 1)][0] for curve in curves["Keras"])
    ratios = {"this project / the end of Keras's second epoch": Ratio(own / second, 1.0)}
    if got:
        ratios["this project / Keras, where it got there"] = Ratio(own / min(got), 1 / 3)
    rows = [
        [
            {"Keras": "Keras, the documents' recipe", "bilstm_keras": "the documents' recipe here"}.get(
                name, f"`{name}`, 200 tokens, two epochs, here"
            ),
            str(seed + 1),
            " ".join(f"{100 * accuracy:.2f}" for _, accuracy in curve),
            " ".join(f"{seconds:.1f}" for seconds, _ in curve),
            "never" if reached(curve) is None else f"{reached(curve):.1f}",
        ]
        for name, several in curves.items()
        for seed, curve in enumerate(several)
    ]
    dataset = load_identity("data/tokens")["dataset"]
    return Result(
        ratios,
        ["recipe", "seed", "test accuracy by epoch, %", "s until then", "s to 87.32%"],
        rows,
        [f"Test reviews of {dataset}.", *notes],
    )


if __name__ == "__main__":
    command("accuracy", TITLE, measure)
