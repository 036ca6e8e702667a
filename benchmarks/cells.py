"""Time of every encoder on the CPU, forward and backward, relative to `nn.LSTM` of the same size; a markdown table.

    python -m benchmarks.cells [--threads 2] [--repeats 9]

Each repeat runs all of them once, one after another, so that other load on the machine affects them alike. A relative
time is the median over the repeats of an encoder's time divided by nn.LSTM's in the same repeat.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.measure import interleaved, median_ratio
from sentiment_rnn import params
from sentiment_rnn.models.encoders import ENCODERS
from sentiment_rnn.params import updated

STEPS, BATCH, INPUT, HIDDEN = 200, 128, 128, 64
REFERENCE = "nn.LSTM"


def encoders() -> dict[str, Callable[[Tensor], Tensor]]:
    """Functions from an input `(T, B, F)` to all states, by name: nn.LSTM, then every encoder with one layer."""
    model = params.load().model
    lengths = torch.full((BATCH,), STEPS)
    lstm = nn.LSTM(INPUT, HIDDEN)
    functions: dict[str, Callable[[Tensor], Tensor]] = {REFERENCE: lambda x: lstm(x)[0]}
    for name, build in ENCODERS.items():
        options = updated(model, {"cell": name}).architecture()["cell_options"]
        encoder = build(INPUT, HIDDEN, 1, False, 0.0, **options)
        functions[name] = lambda x, encoder=encoder: encoder(x, lengths)
    return functions


def run_seconds(run: Callable[[Tensor], Tensor], x: Tensor, half: bool) -> float:
    """Seconds of one forward and backward pass, in bfloat16 autocast if `half`."""
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        states = run(x)
    if states.requires_grad:  # a reservoir's do not
        states.float().sum().backward()
        x.grad = None
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.cells", description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    functions = encoders()
    x = torch.randn(STEPS, BATCH, INPUT, requires_grad=True)  # an embedding below needs its gradient
    times = interleaved(
        {f"{name} {half}": partial(run_seconds, f, x, half) for name, f in functions.items() for half in (False, True)},
        arguments.repeats,
        warm_up=1,
    )
    print(f"T={STEPS}, B={BATCH}, F={INPUT}, H={HIDDEN}, {arguments.threads} threads, {arguments.repeats} repeats\n")
    print("| cell | float32, ms | relative time | bfloat16, ms | relative time |")
    print("|---|---|---|---|---|")
    for name in functions:
        row = [name]
        for half in (False, True):
            relative = median_ratio(times, f"{name} {half}", f"{REFERENCE} {half}")
            row += [f"{1000 * statistics.median(times[f'{name} {half}']):.0f}", f"{relative:.2f}"]
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
