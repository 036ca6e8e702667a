"""Each review is timed alone, on one thread, after a warm-up."""

import os
import time

import numpy as np
import pytest
import torch

from sentiment_rnn.inference import latency


def test_each_review_is_timed_alone_after_the_warm_up():
    calls, now = [], 0.0

    def predict(texts):
        nonlocal now
        calls.append((list(texts), torch.get_num_threads(), os.environ["TOKENIZERS_PARALLELISM"]))
        now += 0.25 if len(calls) <= latency.WARM_UP else 0.5

    texts = [f"text {number}" for number in range(500)]
    before = torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")
    milliseconds = latency.single_review(predict, texts, reviews=40, clock=lambda: now)
    assert (torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")) == before
    assert milliseconds.tolist() == [500.0] * 40
    assert len(calls) == latency.WARM_UP + 40
    assert {(len(texts), threads, parallel) for texts, threads, parallel in calls} == {(1, 1, "false")}
    rows = [int(text.removeprefix("text ")) for (text,), _, _ in calls]
    assert len(set(rows)) == len(rows), "no review twice if there are enough"
    assert np.abs(np.diff(sorted(rows)) - 500 / len(rows)).max() < 2, "spaced evenly"
    assert rows != sorted(rows)


def test_few_reviews_are_repeated():
    assert latency.single_review(len, ["one", "two"], reviews=30).shape == (30,)


def test_an_error_restores_the_number_of_threads():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        latency.single_review(lambda texts: 1 / 0, ["one"])
    assert torch.get_num_threads() == before


def test_processor_time_excludes_waiting():
    milliseconds = latency.single_review(lambda texts: time.sleep(0.005), ["one"], reviews=20, clock=time.process_time)
    assert np.median(milliseconds) < 2
