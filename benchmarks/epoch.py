"""An epoch of the documents' recipe: the train path with all that it writes, Keras, and a plain torch loop.

python -m benchmarks.epoch [--quick]
"""

import statistics

import torch

from benchmarks import bare, keras, trainpath
from benchmarks.measure import Ratio, Result, child, command, in_turn, ratio, seconds
from sentiment_rnn import params
from sentiment_rnn.training.devices import resolve_precision

TITLE = "Epoch: the documents' recipe, seconds of training"
OURS, TWO, KERAS, PLAIN = "this project", "this project, two processes", "Keras", "plain torch loop"


def measure(quick: bool) -> Result:
    chosen = params.load()
    model = chosen.model_of("bilstm_keras").model_copy(update={"max_epochs": 1})
    share = 0.15 if quick else 1.0
    trained, scored = bare.splits(model, "data/tokens", share)
    ids, labels = bare.arrays(trained)
    network = bare.PlainBiLSTM(model.vocab_size)
    optimizer = torch.optim.Adam(network.parameters(), eps=model.adam_epsilon)

    with keras.started() as baseline, trainpath.temporary_store() as folder:
        keras.give(baseline, trained, scored)
        versions = baseline.ask("new", seed=1)

        def ours(share: float) -> float:
            clock = trainpath.Clock()
            trainpath.train(folder, model, [clock], share)
            return clock.epochs[0]

        def two_processes() -> float:
            """Its second epoch: the first warms the processes up."""
            asked = ["bilstm_keras", "--devices", "2", "--share", str(share), "--epochs", "2"]
            return child("benchmarks.trainpath", *asked)["epochs"][1]

        few = 5 * model.batch_size  # graphs and kernels are built before the clock runs
        baseline.ask("fit", reviews=few)
        ours(few / len(trained) * share)
        bare.plain(network, optimizer, ids[:few], labels[:few], model.batch_size)
        runs = {
            OURS: lambda: ours(share),
            KERAS: lambda: baseline.ask("fit")["seconds"],
            PLAIN: lambda: seconds(lambda: bare.plain(network, optimizer, ids, labels, model.batch_size)),
        }
        if not quick:
            runs[TWO] = two_processes
        taken = in_turn(runs, 2 if quick else 4)
    precision = resolve_precision(chosen.trainer)
    what = {
        OURS: f"Lightning, MLflow, checkpoints; {precision}",
        TWO: f"the same with `trainer: {{accelerator: cpu, devices: 2}}`, a thread each; {precision}",
        KERAS: f"{versions['keras']} on TensorFlow {versions['tensorflow']}, float32",
        PLAIN: f"torch {torch.__version__.split('+')[0]}, float32, Adam, DataLoader",
    }
    return Result(
        {f"{name} / {KERAS}": Ratio(ratio(taken, name, KERAS), 0.67) for name in (OURS, TWO) if name in taken}
        | {f"{OURS} / {PLAIN}": Ratio(ratio(taken, OURS, PLAIN))},
        ["loop", "what", "s, median", "fastest", "slowest"],
        [
            [name, what[name], *(f"{of(each):.1f}" for of in (statistics.median, min, max))]
            for name, each in taken.items()
        ],
        [f"{len(trained):,} reviews, {len(taken[OURS])} epochs of each in turn; scoring is left out"],
    )


if __name__ == "__main__":
    command("epoch", TITLE, measure)
