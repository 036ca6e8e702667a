"""Each review is timed alone, on one thread, after others that the clock does not see."""

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
    taken = latency.of_one_review(predict, texts, reviews=40, clock=lambda: now)
    assert (torch.get_num_threads(), os.environ.get("TOKENIZERS_PARALLELISM")) == before
    assert taken.tolist() == [500.0] * 40
    assert len(calls) == latency.WARM_UP + 40
    assert {(len(asked), threads, parallel) for asked, threads, parallel in calls} == {(1, 1, "false")}
    asked = [int(text.removeprefix("text ")) for (text,), _, _ in calls]
    assert len(set(asked)) == len(asked), "no review twice, where there are enough"
    assert np.abs(np.diff(sorted(asked)) - 500 / len(asked)).max() < 2, "spread evenly"
    assert asked != sorted(asked)


def test_few_reviews_are_asked_several_times():
    assert latency.of_one_review(len, ["one", "two"], reviews=30).shape == (30,)


def test_an_error_leaves_the_threads_as_they_were():
    before = torch.get_num_threads()
    with pytest.raises(ZeroDivisionError):
        latency.of_one_review(lambda texts: 1 / 0, ["one"])
    assert torch.get_num_threads() == before


def test_processor_time_leaves_out_what_the_machine_did_besides():
    waited = latency.of_one_review(lambda texts: time.sleep(0.005), ["one"], reviews=20, clock=time.process_time)
    assert np.median(waited) < 2
