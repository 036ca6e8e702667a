"""A corpus as it was found: three splits of texts and labels, its name, and where it came from."""

import hashlib
from dataclasses import dataclass
from typing import NamedTuple

# a token: a word, apostrophes inside it kept ("isn't"), or a single mark ("." "!" "(")
TOKEN = r"\w+(?:['\u2019]\w+)*|[^\w\s]"
PAD, UNKNOWN = 0, 1  # the ids every vocabulary begins with
SPLITS = ("train", "test", "unsupervised")


class Split(NamedTuple):
    """Reviews in their source's order: `texts`, and `labels` 1 positive, 0 negative, -1 unlabelled."""

    texts: list[str]
    labels: list[int]


@dataclass(frozen=True)
class Corpus:
    """Splits by name; `dataset` is `imdb` or `sample`, `source` says in words where it was read."""

    dataset: str
    source: str
    splits: dict[str, Split]


def fingerprint(split: Split) -> str:
    """SHA-256 of a split's reviews, whatever their order: over the sorted digests of (text, label)."""
    digests = sorted(hashlib.sha256(f"{label}\0{text}".encode()).digest() for text, label in zip(*split, strict=True))
    return hashlib.sha256(b"".join(digests)).hexdigest()


def order_fingerprint(split: Split) -> str:
    """SHA-256 of a split's reviews in their order."""
    digest = hashlib.sha256()
    for text, label in zip(*split, strict=True):
        digest.update(f"{label}\0{text}\0".encode())
    return digest.hexdigest()
