"""Latency of a prediction for one raw review, without threads of the tokenizer's own."""

import os
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

WARM_UP = 100  # reviews


def single_review(
    predict: Callable[[list[str]], Any],
    texts: Sequence[str],
    reviews: int = 200,
    clock: Callable[[], float] = time.perf_counter,
) -> np.ndarray:
    """Milliseconds of each of `reviews` calls with one review, `(reviews,)`.

    The reviews are spaced evenly over `texts`, in a shuffled order, after a warm-up that is not timed.

    Args:
        predict: takes a list of raw texts.
        texts: raw reviews; if there are few, they are repeated.
        reviews: number of timed calls.
        clock: in seconds; `time.process_time` excludes other processes.
    """
    rows = np.random.default_rng(0).permutation(np.linspace(0, len(texts) - 1, WARM_UP + reviews).astype(int))
    milliseconds = np.empty(len(rows))
    with _one_tokenizer_thread():
        for call, row in enumerate(rows):
            begin = clock()
            predict([texts[row]])
            milliseconds[call] = 1000 * (clock() - begin)
    return milliseconds[WARM_UP:]


@contextmanager
def _one_tokenizer_thread() -> Iterator[None]:
    tokenizers = os.environ.get("TOKENIZERS_PARALLELISM")
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    try:
        yield
    finally:
        if tokenizers is None:
            del os.environ["TOKENIZERS_PARALLELISM"]
        else:
            os.environ["TOKENIZERS_PARALLELISM"] = tokenizers
