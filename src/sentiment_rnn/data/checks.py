"""Checks of a data set before anything is trained, and its statistics."""

from collections import Counter
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from sentiment_rnn.data.corpus import UNLABELED, Corpus, Split, content_hash
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import TextDataset

MIN_TRAIN, MIN_HELD_OUT = 20, 5  # texts of each class
MAX_LINE_BREAKS = 200  # in a text: more look like a quotation mark of a CSV file that is never closed
SMALL_TEST = 300
LISTED = 5


def quantiles(lengths: np.ndarray) -> dict[str, int]:
    """Quantiles of lengths `(N,)`: `q00`, `q05`, ..., `q100`."""
    return {f"q{int(q * 100):02d}": int(np.quantile(lengths, q)) for q in (0, 0.05, 0.25, 0.5, 0.75, 0.95, 1)}


def check_rows(table: pa.Table, where: str, entry: TextDataset, labeled: bool = True) -> Split:
    """Check the rows of a table and return them as a split, without those whose label is ignored.

    Args:
        table: has the entry's columns.
        where: names the table in errors.
        entry: which columns are the text, which is the label, and what its values mean.
        labeled: False: the label column is not read, and every label is -1.

    Raises:
        UserError: a text is empty or not a string, or a label is not named by the entry; one line for each.
    """
    problems = [
        f"{where}: column {name} is of type {kind}, not text: name another column under text"
        for name in entry.text
        if not _is_text(kind := table.schema.field(name).type)
    ]
    if problems:
        raise UserError("\n".join(problems))
    texts = _texts(table, entry.text)
    labels = np.full(len(table), -1)
    kept = np.ones(len(table), dtype=bool)
    if labeled:
        codes = entry.codes
        encoded = pc.dictionary_encode(_strings(table[entry.label]))
        values = encoded.dictionary.to_pylist()
        indices = encoded.indices.to_numpy()
        counts = dict(zip(values, np.bincount(indices, minlength=len(values)).tolist(), strict=True))
        if unknown := {value: count for value, count in counts.items() if value not in codes}:
            problems.append(f"{where}: {_unknown_labels(unknown, entry)}")
        code = np.array([-1 if codes.get(value) is None else codes[value] for value in values] or [-1])
        ignored = np.array([value in codes and codes[value] is None for value in values] or [False])
        labels, kept = code[indices], ~ignored[indices]
    empty = np.flatnonzero(kept & (pc.utf8_length(pc.utf8_trim_whitespace(texts)).to_numpy() == 0))
    if len(empty):
        rows = ", ".join(str(row + 1) for row in empty[:LISTED])
        more = f" and {len(empty) - LISTED:,} more" if len(empty) > LISTED else ""
        problems.append(f"{where}: {_rows(len(empty))} with an empty text (row {rows}{more}): delete them")
    if not kept.any():
        problems.append(f"{where}: no rows: it should have at least one that is not ignored")
    if problems:
        raise UserError("\n".join(problems))
    selected = np.flatnonzero(kept)
    columns = {name: _strings(table[name]).take(selected).to_pylist() for name in entry.further_columns}
    return Split(texts.take(selected).to_pylist(), labels[selected].tolist(), columns)


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_null(kind))


def _texts(table: pa.Table, names: list[str]) -> pa.Array:
    """The text columns, joined by line breaks where there are several; empty parts are left out."""
    parts = [pc.fill_null(table[name].cast(pa.large_string()), "").combine_chunks() for name in names]
    if len(parts) == 1:
        return parts[0]
    return pa.array(
        ["\n".join(filter(None, row)) for row in zip(*(part.to_pylist() for part in parts), strict=True)],
        pa.large_string(),
    )


def _strings(column: pa.ChunkedArray) -> pa.Array:
    """A column as it is compared with the entry's values, see `params.datasets.value_name`."""
    array = column.combine_chunks()
    if not _is_text(array.type) and (pa.types.is_nested(array.type) or pa.types.is_binary(array.type)):
        array = pa.array([str(value) for value in array.to_pylist()])
    return pc.utf8_trim_whitespace(pc.fill_null(array.cast(pa.string()), ""))


def _rows(count: int) -> str:
    return "1 row" if count == 1 else f"{count:,} rows"


def _unknown_labels(unknown: Mapping[str, int], entry: TextDataset) -> str:
    common = sorted(unknown.items(), key=lambda item: -item[1])
    listed = ", ".join(f"{value!r} ({_rows(count)})" for value, count in common[:LISTED])
    more = f" and {len(common) - LISTED:,} further values" if len(common) > LISTED else ""
    return (
        f"column {entry.label} has values that labels does not name: {listed}{more}: "
        f"add them to {' or '.join(entry.class_names)}, or to ignore, which leaves their rows out"
    )


def check_classes(splits: Mapping[str, Split], class_names: tuple[str, ...]) -> list[str]:
    """Problems of the splits as a whole, one line for each: too few texts of a class, test's texts in train."""
    problems = []
    for name, split in splits.items():
        if name == UNLABELED:
            continue
        least, counts = MIN_TRAIN if name == "train" else MIN_HELD_OUT, Counter(split.labels)
        for label, class_name in enumerate(class_names):
            if counts[label] < least:
                problems.append(
                    f"{name} has {_rows(counts[label])} of class {class_name}, at least {least} are needed: "
                    "add some, or check labels"
                )
    for name in ("validation", "test"):
        if name in splits and "train" in splits:
            common = _share_in(splits["train"], splits[name])
            if common > 0.5:
                problems.append(f"{100 * common:.0f}% of the texts in {name} are in train, too: name another file")
    return problems


def _share_in(train: Split, other: Split) -> float:
    known = set(train.texts)
    return sum(text in known for text in other.texts) / len(other.texts)


def warnings(corpus: Corpus, report: Mapping[str, Any], group: str | None) -> list[str]:
    """What is no error, but should be known, one line for each."""
    found = []
    train = corpus.splits["train"]
    if contradictory := report["contradictory_texts"]:
        found.append(f"{contradictory:,} texts occur with both labels in train: at most one of them can be right")
    for name, split in corpus.splits.items():
        if split.texts and (breaks := max(text.count("\n") for text in split.texts)) > MAX_LINE_BREAKS:
            found.append(f"a text in {name} has {breaks:,} line breaks: is a quotation mark in its file never closed?")
    if overlap := report["train_test_overlap"]["train_reviews"]:
        found.append(f"{_rows(overlap)} of train have a text that is in test: they are not trained on")
    if group and (common := set(train.columns[group]) & set(corpus.splits["test"].columns[group])):
        found.append(f"train and test have {len(common):,} values of {group} in common")
    rarest = min(Counter(train.labels).values()) / len(train.labels)
    if rarest < 0.1:
        found.append(f"the rarer class has {100 * rarest:.1f}% of train: compare F1, not accuracy")
    if len(corpus.splits["test"].texts) < SMALL_TEST:
        found.append(
            f"test has {_rows(len(corpus.splits['test'].texts))}: its accuracy has a wide interval; "
            "`sentiment-rnn cross-validate` evaluates on every row"
        )
    return found


def describe(corpus: Corpus, group: str | None = None) -> dict[str, Any]:
    """Statistics for `reports/data.json`: counts, content hashes, label balance, lengths, duplicates, overlap."""
    splits = {}
    for name, split in corpus.splits.items():
        splits[name] = {
            "reviews": len(split.texts),
            "content_hash": content_hash(split),
            "labels": {str(label): count for label, count in sorted(Counter(split.labels).items())},
            "words": quantiles(np.array([len(text.split()) for text in split.texts])) if split.texts else {},
            "repeated_texts": len(split.texts) - len(set(split.texts)),
        }
    test, train = set(corpus.splits["test"].texts), corpus.splits["train"]
    report: dict[str, Any] = {
        "dataset": corpus.dataset,
        "source": corpus.source,
        "class_names": list(corpus.class_names),
        "test_split": corpus.test_split,
        "splits": splits,
        "train_test_overlap": {
            "distinct_texts": len(test.intersection(train.texts)),
            "train_reviews": sum(text in test for text in train.texts),
        },
        "contradictory_texts": len(set(zip(train.texts, train.labels, strict=True))) - len(set(train.texts)),
    }
    return report | {"warnings": warnings(corpus, report, group)}
