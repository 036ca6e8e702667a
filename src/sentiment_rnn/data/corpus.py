"""A corpus: three splits of texts and labels, its name and its source; what counts as a token."""

import hashlib
import re
from dataclasses import dataclass
from typing import NamedTuple

# a token: a word, apostrophes inside it kept ("isn't"), or a single mark ("." "!" "(")
TOKEN = r"\w+(?:['\u2019]\w+)*|[^\w\s]"
LINE_BREAK = re.compile(r"<br\s*/?>")  # IMDB's texts are HTML in that respect alone
PAD, UNKNOWN = 0, 1  # the first ids of every vocabulary
SPLITS = ("train", "test", "unsupervised")


class Split(NamedTuple):
    """Reviews in their source's order: `texts`, and `labels` 1 positive, 0 negative, -1 unlabelled."""

    texts: list[str]
    labels: list[int]


@dataclass(frozen=True)
class Corpus:
    """Splits by name; `dataset` is its name in params.yaml, `source` describes where it was read."""

    dataset: str
    source: str
    splits: dict[str, Split]


def split_tokens(text: str) -> list[str]:
    """A text's tokens in lower case, words and punctuation, as the networks read them."""
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
