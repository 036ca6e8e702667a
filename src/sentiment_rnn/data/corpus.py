"""A corpus of labelled texts in three splits, its content hashes, and the definition of a token."""

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

# a word, with the apostrophes inside it ("isn't"), or one punctuation mark ("." "!" "(")
TOKEN = r"\w+(?:['\u2019]\w+)*|[^\w\s]"
LINE_BREAK = re.compile(r"<br\s*/?>")  # the only HTML in IMDB's texts
PAD, UNKNOWN = 0, 1  # the first ids of every vocabulary
CLASS_NAMES = ("negative", "positive")  # by label
SPLITS = ("train", "test", "unsupervised")


class Split(NamedTuple):
    """Reviews in the order of their source: `texts`, and `labels` 1 positive, 0 negative, -1 unlabelled."""

    texts: list[str]
    labels: list[int]


@dataclass(frozen=True)
class Corpus:
    """Splits by name; `dataset` is the name in params.yaml, `source` where it was read from."""

    dataset: str
    source: str
    splits: dict[str, Split]


def split_tokens(text: str) -> list[str]:
    """Tokens of a text in lower case, words and punctuation, as the networks read them."""
    return re.findall(TOKEN, LINE_BREAK.sub(" ", text).lower())


def content_hash(split: Split) -> str:
    """SHA-256 of a split's reviews, independent of their order: over the sorted digests of (text, label)."""
    digests = sorted(hashlib.sha256(f"{label}\0{text}".encode()).digest() for text, label in zip(*split, strict=True))
    return hashlib.sha256(b"".join(digests)).hexdigest()


def ordered_content_hash(split: Split) -> str:
    """SHA-256 of a split's reviews in their order."""
    digest = hashlib.sha256()
    for text, label in zip(*split, strict=True):
        digest.update(f"{label}\0{text}\0".encode())
    return digest.hexdigest()
