"""Checks of a corpus, its content hashes and its statistics."""

from collections import Counter

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from sentiment_rnn.data import checks
from sentiment_rnn.data.checks import describe
from sentiment_rnn.data.corpus import Corpus, Split, content_hash, ordered_content_hash
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import TextDataset

ENTRY = TextDataset(labels={"negative": [0], "positive": [1]})
NAMED = TextDataset(labels={"sad": ["neg", 1], "glad": ["pos", 5.0, True]}, ignore=["?", ""])


def check_rows(rows, where, split):
    return checks.check_rows(rows, where, ENTRY, labeled=split != "unsupervised")


def table(texts, labels, **others):
    return pa.table({"text": texts, "label": labels, **others})


def test_rows_are_returned_in_order_and_other_columns_are_ignored():
    rows = table(["b", "a", "b"], [1, 0, 1], movie=[1, 2, 3])
    assert check_rows(rows, "here", "train") == Split(["b", "a", "b"], [1, 0, 1])


@pytest.mark.parametrize("text", ["NA", "null", "None", "nan", "0"])
def test_a_review_that_reads_like_a_missing_value_is_text(text, tmp_path):
    pq.write_table(table([text, "b"], [1, 0]), tmp_path / "train.parquet")
    assert check_rows(pq.read_table(tmp_path / "train.parquet"), "here", "train").texts == [text, "b"]


def test_rows_without_labels_have_label_minus_one():
    assert check_rows(pa.table({"text": ["a", "b"]}), "here", "unsupervised").labels == [-1, -1]


@pytest.mark.parametrize(
    ("labels", "expected"),
    [
        (["neg", "pos", " neg "], [0, 1, 0]),
        ([1, 5, 1], [0, 1, 0]),
        ([1.0, 5.0, 1.0], [0, 1, 0]),
        (["1", "5", "true"], [0, 1, 1]),
        ([True, True], [1, 1]),
    ],
)
def test_a_value_means_its_class_whatever_its_type(labels, expected):
    rows = pa.table({"text": ["a"] * len(labels), "label": labels})
    assert checks.check_rows(rows, "here", NAMED).labels == expected


def test_ignored_rows_are_left_out_with_their_texts_and_columns():
    entry = NAMED.model_copy(update={"slices": ["stars"], "group": "film"})
    rows = pa.table(
        {
            "text": ["a", "", "c", "d"],
            "label": ["pos", "?", "neg", None],
            "stars": [5, 3, None, 1],
            "film": list("wxyz"),
        }
    )
    assert checks.check_rows(rows, "here", entry) == Split(["a", "c"], [1, 0], {"film": ["w", "y"], "stars": ["5", ""]})


def test_several_text_columns_are_joined():
    entry = ENTRY.model_copy(update={"text": ["title", "body"]})
    rows = pa.table({"title": ["Great", None, "Bad"], "body": ["film", "x", ""], "label": [1, 1, 0]})
    assert checks.check_rows(rows, "here", entry).texts == ["Great\nfilm", "x", "Bad"]


def test_everything_that_is_wrong_with_the_rows_is_reported_at_once():
    rows = pa.table({"text": ["a", " ", "c", "", "e"], "label": ["neg", "pos", "meh", "pos", "meh"]})
    with pytest.raises(UserError) as caught:
        checks.check_rows(rows, "here", NAMED)
    assert str(caught.value).splitlines() == [
        "here: column label has values that labels does not name: 'meh' (2 rows): add them to sad or glad, or to "
        "ignore, which leaves their rows out",
        "here: 2 rows with an empty text (row 2, 4): delete them",
    ]


def test_a_class_that_is_too_small_and_a_test_set_that_is_train_are_reported_together():
    train = Split([f"text {row}" for row in range(40)], [0] * 37 + [1] * 3)
    test = Split(train.texts[:20], [0] * 16 + [1] * 4)
    problems = checks.check_classes({"train": train, "test": test}, ("sad", "glad"))
    assert problems == [
        "train has 3 rows of class glad, at least 20 are needed: add some, or check labels",
        "test has 4 rows of class glad, at least 5 are needed: add some, or check labels",
        "100% of the texts in test are in train, too: name another file",
    ]


def test_what_should_be_known_is_a_warning():
    texts = [f"text {row}" for row in range(99)] + ["a\n" * 300]
    train = Split([*texts, "text 0"], [0] * 95 + [1] * 5 + [1], {"film": ["x"] * 101})
    test = Split(["new", "text 1"], [0, 1], {"film": ["x", "y"]})
    corpus = Corpus("mine", "files", {"train": train, "test": test, "unsupervised": Split([], [])})
    found = describe(corpus, "film")["warnings"]
    for part in (
        "1 texts occur with both labels", "train has 300 line breaks", "1 row of train have a text that is in test",
        "1 values of film in common", "rarer class has 5.9%", "test has 2 rows",
    ):  # fmt: skip
        assert [warning for warning in found if part in warning], part
    assert len(found) == 6


def test_large_strings_and_small_integers_are_accepted():
    rows = table(pa.array(["a", "b"], pa.large_string()), pa.array([0, 1], pa.int8()))
    assert check_rows(rows, "here", "train") == Split(["a", "b"], [0, 1])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        (table([1], [1]), "here: column text is of type int64, not text: name another column under text"),
        (table([b"a"], [1]), "here: column text is of type binary, not text: name another column under text"),
        (table(["a", ""], [1, 0]), "here: 1 row with an empty text (row 2): delete them"),
        (table(["a", " \n\t"], [1, 0]), "here: 1 row with an empty text (row 2): delete them"),
        (table(["a", None], [1, 0]), "here: 1 row with an empty text (row 2): delete them"),
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
