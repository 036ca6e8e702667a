"""Checks of a corpus, its content hashes and its statistics."""

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_rnn.data.checks import check_rows, describe
from sentiment_rnn.data.corpus import Corpus, Split, content_hash, ordered_content_hash
from sentiment_rnn.errors import UserError


def table(texts, labels, **others):
    return pa.table({"text": texts, "label": labels, **others})


def test_rows_are_returned_in_order_and_other_columns_are_ignored():
    rows = table(["b", "a", "b"], [1, 0, 1], movie=[1, 2, 3])
    assert check_rows(rows, "here", "train") == Split(["b", "a", "b"], [1, 0, 1])


@pytest.mark.parametrize("text", ["NA", "null", "None", "nan", "0"])
def test_a_review_that_reads_like_a_missing_value_is_text(text, tmp_path):
    pq.write_table(table([text, "b"], [1, 0]), tmp_path / "train.parquet")
    assert check_rows(pq.read_table(tmp_path / "train.parquet"), "here", "train").texts == [text, "b"]


def test_unlabelled_rows_have_label_minus_one_and_labelled_ones_do_not():
    rows = table(["a", "b"], [-1, -1])
    assert check_rows(rows, "here", "unsupervised").labels == [-1, -1]
    with pytest.raises(UserError, match="row 0 has label -1, not one of 0, 1"):
        check_rows(rows, "here", "test")
    with pytest.raises(UserError, match="row 1 has label 1, not one of -1"):
        check_rows(table(["a", "b"], [-1, 1]), "here", "unsupervised")


def test_large_strings_and_small_integers_are_accepted():
    rows = table(pa.array(["a", "b"], pa.large_string()), pa.array([0, 1], pa.int8()))
    assert check_rows(rows, "here", "train") == Split(["a", "b"], [0, 1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (pa.table({"review": ["a"], "label": [1]}), "here: no column text, only review, label"),
        (pa.table({"text": ["a"]}), "here: no column label, only text"),
        (table([1], [1]), "here: column text is of type int64"),
        (table([b"a"], [1]), "here: column text is of type binary"),
        (table(["a"], ["pos"]), "here: column label is of type string"),
        (table(["a"], [1.0]), "here: column label is of type double"),
        (table(["a", "b"], [1, 2]), "here: row 1 has label 2, not one of 0, 1"),
        (table(["a", "b"], [1, None]), "here: row 1 has label None, not one of 0, 1"),
        (table(["a", ""], [1, 0]), "here: row 1 has an empty text"),
        (table(["a", " \n\t"], [1, 0]), "here: row 1 has an empty text"),
        (table(["a", None], [1, 0]), "here: row 1 has an empty text"),
    ],
)
def test_a_bad_row_or_column_is_named_in_one_line(rows, message):
    with pytest.raises(UserError) as caught:
        check_rows(rows, "here", "train")
    assert str(caught.value) == message


def test_the_content_hash_depends_on_content_and_not_on_order():
    split = Split(["a", "b", "b", "c"], [0, 1, 1, 0])
    reversed_split = Split(split.texts[::-1], split.labels[::-1])
    assert content_hash(split) == content_hash(reversed_split)
    assert ordered_content_hash(split) != ordered_content_hash(reversed_split)
    others = [
        Split(["a", "b", "c"], [0, 1, 0]),  # one duplicate fewer
        Split(["a", "b", "c", "c"], [0, 1, 0, 0]),  # another duplicate
        Split(["a", "b", "b", "C"], [0, 1, 1, 0]),
        Split(["a", "b", "b", "c"], [0, 1, 1, 1]),
        Split(["a", "b", "b", "c"], [1, 0, 1, 0]),  # the same texts and labels, in other pairs
        Split(["a", "b", "b", "c "], [0, 1, 1, 0]),
    ]
    assert len({content_hash(other) for other in [split, *others]}) == 1 + len(others)


def test_the_statistics_are_those_counted_by_hand():
    train = Split(["one", "one two", "one two", "one two three four", "x y z"], [0, 1, 1, 0, 1])
    test = Split(["one two", "new"], [1, 0])
    unsupervised = Split(["u"], [-1])
    report = describe(Corpus("synthetic", "generated", {"train": train, "test": test, "unsupervised": unsupervised}))
    assert (report["dataset"], report["source"]) == ("synthetic", "generated")
    statistics = report["splits"]["train"]
    assert statistics["reviews"] == 5
    assert statistics["content_hash"] == content_hash(train)
    assert statistics["labels"] == {str(label): count for label, count in Counter(train.labels).items()}
    assert statistics["words"] | {"q05": 0, "q95": 0} == {
        "q00": 1, "q05": 0, "q25": 2, "q50": 2, "q75": 3, "q95": 0, "q100": 4,
    }  # fmt: skip
    assert statistics["repeated_texts"] == 1
    assert report["splits"]["unsupervised"]["labels"] == {"-1": 1}
    assert report["train_test_overlap"] == {"distinct_texts": 1, "train_reviews": 2}
