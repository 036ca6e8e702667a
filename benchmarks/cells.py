"""What every encoder costs on the CPU: forward and backward against `nn.LSTM` of the same size, as a markdown table.

    python -m benchmarks.cells [--threads 2] [--repeats 9]

Each repeat runs all of them once, one after another, so that what else the machine does meets them alike; a ratio is
the median over the repeats of an encoder's time over that repeat's nn.LSTM's. The bar for a cell stepped in Python is
4 times nn.LSTM.
"""

import argparse
import statistics
import time
from collections.abc import Callable
from functools import partial

import torch
from torch import Tensor, nn

from benchmarks.measure import in_turn, ratio
from sentiment_rnn import params
from sentiment_rnn.models import ENCODERS

STEPS, BATCH, INPUT, HIDDEN = 200, 128, 128, 64
REFERENCE = "nn.LSTM"


def candidates() -> dict[str, Callable[[Tensor], Tensor]]:
    """From an input `(T, B, F)` to all states, by name: torch's LSTM itself, then every encoder with one layer."""
    model = params.load().model
    lengths = torch.full((BATCH,), STEPS)
    plain = nn.LSTM(INPUT, HIDDEN)
    found: dict[str, Callable[[Tensor], Tensor]] = {REFERENCE: lambda x: plain(x)[0]}
    for name, (build, names) in ENCODERS.items():
        encoder = build(INPUT, HIDDEN, 1, False, 0.0, **{option: getattr(model, option) for option in names})
        found[name] = lambda x, encoder=encoder: encoder(x, lengths)
    return found


def seconds(run: Callable[[Tensor], Tensor], x: Tensor, half: bool) -> float:
    """Of one forward and backward, in bfloat16 autocast if `half`."""
    begin = time.perf_counter()
    with torch.autocast("cpu", torch.bfloat16, enabled=half):
        states = run(x)
    if states.requires_grad:  # a reservoir's do not
        states.float().sum().backward()
        x.grad = None
    return time.perf_counter() - begin


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=9)
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    torch.manual_seed(0)
    runs = candidates()
    x = torch.randn(STEPS, BATCH, INPUT, requires_grad=True)  # an embedding below wants its gradient
    times = in_turn(
        {f"{name} {half}": partial(seconds, run, x, half) for name, run in runs.items() for half in (False, True)},
        arguments.repeats,
        warm_up=1,
    )
    print(f"T={STEPS}, B={BATCH}, F={INPUT}, H={HIDDEN}, {arguments.threads} threads, {arguments.repeats} repeats\n")
    print("| cell | float32, ms | of nn.LSTM | bfloat16, ms | of nn.LSTM |")
    print("|---|---|---|---|---|")
    for name in runs:
        row = [name]
        for half in (False, True):
            of_reference = ratio(times, f"{name} {half}", f"{REFERENCE} {half}")
            row += [f"{1000 * statistics.median(times[f'{name} {half}']):.0f}", f"{of_reference:.2f}"]
        print(f"| {' | '.join(row)} |")


if __name__ == "__main__":
    main()
