from pathlib import Path

import numpy as np

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.data.tokenized import TokenizedReviews

WHOLE = Encoding(2_000, 1_000, "both", "back")


def test_a_verdict_stands_before_as_many_tokens_as_the_distance_says(tmp_path: Path) -> None:
    for distance in (5, 40):
        folder = spaced.tokenize(tmp_path, distance, 80)
        lengths = TokenizedReviews(folder, ["train"], WHOLE).lengths
        assert lengths.min() > distance
        assert lengths.max() <= distance + spaced.VERDICT


def test_splits_have_their_sizes_both_labels_and_reviews_of_their_own(tmp_path: Path) -> None:
    folder = spaced.tokenize(tmp_path, 5, 80)
    splits = {name: TokenizedReviews(folder, [name], WHOLE) for name in ("train", "validation", "test")}
    assert {name: len(split) for name, split in splits.items()} == {"train": 80, "validation": 20, "test": 20}
    assert all(split.labels.mean() == 0.5 for split in splits.values())
    assert len(set(load_identity(folder)["content_hashes"].values())) == 3


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    folder = spaced.tokenize(tmp_path, 5, 40)
    before = (folder / "dataset.json").stat().st_mtime_ns
    assert spaced.tokenize(tmp_path, 5, 40) == folder
    assert (folder / "dataset.json").stat().st_mtime_ns == before
    assert np.array_equal(
        TokenizedReviews(folder, ["train"], WHOLE).lengths,
        TokenizedReviews(spaced.tokenize(tmp_path / "again", 5, 40), ["train"], WHOLE).lengths,
    )
