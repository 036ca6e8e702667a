"""Predictions on a split as a file."""

import numpy as np

from sentiment_rnn.data import predictions
from sentiment_rnn.data.corpus import Split

SPLIT = Split(["a good film", "a bad film"], [1, 0])


def test_saved_predictions_belong_to_the_reviews_in_their_order_and_contain_no_text(tmp_path):
    path = tmp_path / "new/model.parquet"
    predictions.save(np.array([0.9, 0.2]), SPLIT, path)
    labels, positive = predictions.load(path, SPLIT)
    assert (labels.tolist(), positive.tolist()) == ([1, 0], [0.9, 0.2])
    assert predictions.load(path, Split(["another film", "a bad film"], [1, 0])) is None
    assert predictions.load(path, Split(SPLIT.texts[::-1], SPLIT.labels[::-1])) is None
    assert b"film" not in path.read_bytes()
