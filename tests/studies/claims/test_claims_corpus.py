"""The long-range task's corpora: lengths, splits, and when a cached one is used."""

from pathlib import Path

import numpy as np
import pytest

from sentiment_rnn.data import synthetic
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.studies.claims import corpus

ALL_TOKENS = Encoding(2_000, 1_000, "tail", "post")


@pytest.mark.parametrize("length", [5, 40])
def test_the_dependency_length_and_a_verdict_make_a_review(tmp_path: Path, length: int) -> None:
    lengths = TokenizedReviews(corpus.tokenize(tmp_path, length, 80), ["train"], ALL_TOKENS).lengths
    assert lengths.min() > length
    assert lengths.max() <= length + corpus.MAX_VERDICT


def test_splits_have_their_sizes_and_both_labels_and_differ(tmp_path: Path) -> None:
    folder = corpus.tokenize(tmp_path, 5, 80)
    splits = {name: TokenizedReviews(folder, [name], ALL_TOKENS) for name in ("train", "validation", "test")}
    assert {name: len(split) for name, split in splits.items()} == {"train": 80, "validation": 20, "test": 20}
    assert all(split.labels.mean() == 0.5 for split in splits.values())
    assert len(set(load_identity(folder)["content_hashes"].values())) == 3


def test_a_corpus_is_cached_until_the_code_that_generates_it_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = corpus.tokenize(tmp_path, 5, 40)
    before = (folder / "dataset.json").stat().st_mtime_ns
    assert corpus.tokenize(tmp_path, 5, 40) == folder
    assert (folder / "dataset.json").stat().st_mtime_ns == before
    again = corpus.tokenize(tmp_path / "again", 5, 40)
    assert load_identity(again) == load_identity(folder)
    assert corpus.tokenize(tmp_path, 5, 44) != folder

    edited = tmp_path / "synthetic.py"
    edited.write_text(Path(str(synthetic.__file__)).read_text() + "# another generator\n")
    monkeypatch.setattr(synthetic, "__file__", str(edited))
    generate = synthetic.generate
    monkeypatch.setattr(synthetic, "generate", lambda count, *, seed, **named: generate(count, seed=seed + 1, **named))
    changed = corpus.tokenize(tmp_path, 5, 40)
    assert changed != folder
    assert not np.array_equal(
        TokenizedReviews(changed, ["train"], ALL_TOKENS).lengths,
        TokenizedReviews(folder, ["train"], ALL_TOKENS).lengths,
    )
