"""Seconds of an epoch of the reference script: the full training, Keras, and a plain torch loop.

python -m benchmarks.epoch [--quick]
"""

import statistics

import torch

from benchmarks import full_training, keras, minimal_loops
from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio, run_module, seconds
from sentiment_rnn import params
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Epoch of the reference script, seconds of training"
OURS, TWO, KERAS, PLAIN = "this project", "this project, two processes", "Keras", "plain torch loop"


def measure(quick: bool) -> Result:
    chosen = params.load()
    model = chosen.model_of("bilstm_keras").model_copy(update={"max_epochs": 1})
    fraction = 0.15 if quick else 1.0
    train, test = minimal_loops.load_splits(model, "data/tokens", fraction)
    ids, labels = minimal_loops.padded_arrays(train)
    network = minimal_loops.PlainBiLSTM(model.vocab_size)
    optimizer = torch.optim.Adam(network.parameters(), eps=model.adam_epsilon)

    with keras.start() as reference, full_training.temporary_store() as folder:
        keras.send_reviews(reference, train, test)
        versions = reference.call("new", seed=1)

        def one_process(fraction: float) -> float:
            clock = full_training.Clock()
            full_training.train(folder, model, [clock], fraction)
            return clock.epochs[0]

        def two_processes() -> float:
            """The second epoch: the first one builds the kernels."""
            options = ["bilstm_keras", "--devices", "2", "--fraction", str(fraction), "--epochs", "2"]
            return run_module("benchmarks.full_training", *options)["epochs"][1]

        few = 5 * model.batch_size  # graphs and kernels are built before the clock runs
        reference.call("fit", reviews=few)
        one_process(few / len(train) * fraction)
        minimal_loops.plain_epoch(network, optimizer, ids[:few], labels[:few], model.batch_size)
        runs = {
            OURS: lambda: one_process(fraction),
            KERAS: lambda: reference.call("fit")["seconds"],
            PLAIN: lambda: seconds(
                lambda: minimal_loops.plain_epoch(network, optimizer, ids, labels, model.batch_size)
            ),
        }
        if not quick:
            runs[TWO] = two_processes
        taken = interleaved(runs, 2 if quick else 4)
    precision = resolve_precision(chosen.trainer)
    details = {
        OURS: f"Lightning, MLflow, checkpoints; {precision}",
        TWO: f"the same with `trainer: {{accelerator: cpu, devices: 2}}`, one thread each; {precision}",
        KERAS: f"{versions['keras']} on TensorFlow {versions['tensorflow']}, float32",
        PLAIN: f"torch {torch.__version__.split('+')[0]}, float32, Adam, DataLoader",
    }
    return Result(
        {f"{name} / {KERAS}": Ratio(median_ratio(taken, name, KERAS), 0.67) for name in (OURS, TWO) if name in taken}
        | {f"{OURS} / {PLAIN}": Ratio(median_ratio(taken, OURS, PLAIN))},
        ["loop", "details", "median, s", "fastest, s", "slowest, s"],
        [
            [name, details[name], *(f"{statistic(each):.1f}" for statistic in (statistics.median, min, max))]
            for name, each in taken.items()
        ],
        [f"{len(train):,} reviews, {len(taken[OURS])} interleaved epochs of each; without evaluation."],
    )


if __name__ == "__main__":
    command("epoch", TITLE, measure)
