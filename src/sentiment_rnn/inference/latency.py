"""Latency of one raw review: text in, label and probability out, on one thread."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch

WARM_UP = 100  # reviews: a CPU's kernels are built once a width, and so many meet nearly every one


def single_review(
    predict: Callable[[list[str]], Any],
    texts: Sequence[str],
    reviews: int = 200,
    clock: Callable[[], float] = time.perf_counter,
) -> np.ndarray:
    """Milliseconds of each of `reviews` reviews, alone in its call, `(reviews,)`.

    They are spread evenly over `texts`, in a shuffled order, after a warm-up that is not timed.

    Args:
        predict: takes a list of raw texts.
        texts: many reviews; few are repeated.
        reviews: number that is timed.
        clock: in seconds; `time.process_time` leaves out other processes.
    """
    rows = np.random.default_rng(0).permutation(np.linspace(0, len(texts) - 1, WARM_UP + reviews).astype(int))
    taken = np.empty(len(rows))
    with _one_thread():
        for call, row in enumerate(rows):
            begin = clock()
            predict([texts[row]])
            taken[call] = 1000 * (clock() - begin)
    return taken[WARM_UP:]


@contextmanager
def _one_thread() -> Iterator[None]:
    threads, tokenizers = torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    torch.set_num_threads(1)
    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads would be further ones
    try:
        yield
    finally:
        torch.set_num_threads(threads)
        if tokenizers is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = tokenizers
