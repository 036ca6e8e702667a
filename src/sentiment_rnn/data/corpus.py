"""A corpus of labeled texts in splits, its content hashes, and the definition of a token."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import numpy as np

# a word, with the apostrophes inside it ("isn't"), or one punctuation mark ("." "!" "(")
TOKEN = r"\w+(?:['\u2019]\w+)*|[^\w\s]"
LINE_BREAK = re.compile(r"<br\s*/?>")  # the only HTML in IMDB's texts
PAD, UNKNOWN = 0, 1  # the first ids of every vocabulary
CLASS_NAMES = ("negative", "positive")  # by label
UNLABELED = "unsupervised"  # the split of texts without labels has the name that IMDB's has on the hub
SPLITS = ("train", "test", UNLABELED)


class Split(NamedTuple):
    """Texts in the order of their source: `labels` are the numbers of the classes, 0 and 1, or -1; further columns."""

    texts: list[str]
    labels: list[int]
    columns: Mapping[str, list[str]] = MappingProxyType({})

    def take(self, rows: np.ndarray) -> "Split":
        """The rows with these numbers."""
        numbers = rows.tolist()
        columns = {name: [values[row] for row in numbers] for name, values in self.columns.items()}
        return Split([self.texts[row] for row in numbers], [self.labels[row] for row in numbers], columns)


@dataclass(frozen=True)
class Corpus:
    """Splits by name: train, test and unsupervised (perhaps without texts), and validation if the source has one.

    Attributes:
        dataset: the name in params.yaml.
        source: where it was read from.
        splits: by name.
        class_names: of the labels 0 and 1.
        test_split: how test was split off; "given" if the source has one.
    """

    dataset: str
    source: str
    splits: dict[str, Split]
    class_names: tuple[str, ...] = CLASS_NAMES
    test_split: str = "given"


def split_tokens(text: str) -> list[str]:
    """Tokens of a text in lower case, words and punctuation, as the networks read them."""
    return re.findall(TOKEN, LINE_BREAK.sub(" ", text).lower())


def content_hash(split: Split) -> str:
    """SHA-256 of a split's reviews, independent of their order: over the sorted digests of (text, label)."""
    digests = sorted(
        hashlib.sha256(f"{label}\0{text}".encode()).digest()
        for text, label in zip(split.texts, split.labels, strict=True)
    )
    return hashlib.sha256(b"".join(digests)).hexdigest()


def ordered_content_hash(split: Split) -> str:
    """SHA-256 of a split's reviews in their order."""
    digest = hashlib.sha256()
    for text, label in zip(split.texts, split.labels, strict=True):
        digest.update(f"{label}\0{text}\0".encode())
    return digest.hexdigest()
