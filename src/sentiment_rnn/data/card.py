"""The data card: a data set on one page of Markdown, with examples, so it stays beside the data and out of git."""

import zlib
from collections.abc import Mapping
from typing import Any

from sentiment_rnn.data.corpus import UNLABELED, Corpus

EXAMPLES, EXAMPLE_LENGTH = 3, 240  # of each class in train; characters


def card(corpus: Corpus, report: Mapping[str, Any]) -> str:
    """The card.

    Args:
        corpus: the data set.
        report: from `checks.describe`.
    """
    names = corpus.class_names
    lines = [
        f"# Data set {corpus.dataset}",
        "",
        f"Source: {corpus.source}. Classes: {names[0]} (label 0), {names[1]} (label 1). Test: {corpus.test_split}.",
        "",
        f"| split | texts | {names[0]} | {names[1]} | repeated | words: median | 5% to 95% | longest |",
        "|---|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for name, split in report["splits"].items():
        counts = ["", ""] if name == UNLABELED else [f"{split['labels'].get(label, 0):,}" for label in ("0", "1")]
        words = split["words"]
        lengths = [f"{words['q50']}", f"{words['q05']} to {words['q95']}", f"{words['q100']:,}"] if words else [""] * 3
        cells = [name, f"{split['reviews']:,}", *counts, f"{split['repeated_texts']:,}", *lengths]
        lines.append(f"| {' | '.join(cells)} |")
    if report["warnings"]:
        lines += ["", "## To be known", "", *(f"- {warning}" for warning in report["warnings"])]
    train = corpus.splits["train"]
    by_hash = sorted(range(len(train.texts)), key=lambda row: zlib.crc32(train.texts[row].encode()))
    for label, name in enumerate(names):
        rows = [row for row in by_hash if train.labels[row] == label][:EXAMPLES]
        lines += ["", f"## Examples: {name}", ""]
        lines += [f"> {_shortened(train.texts[row])}\n" for row in rows]
    return "\n".join(lines).rstrip() + "\n"


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= EXAMPLE_LENGTH else f"{text[:EXAMPLE_LENGTH]} ..."
