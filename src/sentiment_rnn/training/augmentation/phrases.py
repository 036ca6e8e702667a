"""Phrases without polarity from the reviews of train, which stand between a negation and the word that it negates."""

from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple

from sentiment_rnn.evaluation.slices import is_negation
from sentiment_rnn.training.augmentation.lexicon import Lexicon

SUBJECTS = 150  # most frequent ones
WORDS = range(2, 10)  # of an aside or a relative clause
STOPS = (",", ".", "!", "?", ";", ":", "(", ")", "-")


class Phrases(NamedTuple):
    """Phrases in lower case, tokens separated by spaces.

    Attributes:
        subjects: such as "the director".
        asides: what stands between two commas, such as "in the second half".
        relative_clauses: what follows "who", such as "plays the father".
    """

    subjects: list[str]
    asides: list[str]
    relative_clauses: list[str]


def collect(reviews: Iterable[Sequence[str]], lexicon: Lexicon) -> Phrases:
    """Collect the phrases whose words all have no polarity and negate nothing.

    Args:
        reviews: their tokens.
        lexicon: its `neutral` words are those of the phrases.
    """

    def is_neutral(tokens: Sequence[str]) -> bool:
        return len(tokens) in WORDS and all(token in lexicon.neutral and not is_negation(token) for token in tokens)

    subjects: Counter[str] = Counter()
    asides: dict[str, None] = {}
    relative_clauses: dict[str, None] = {}
    for review in reviews:
        stops = [position for position, token in enumerate(review) if token in STOPS]
        for start, end in pairwise(stops):
            clause = review[start + 1 : end]
            if review[start] == review[end] == "," and is_neutral(clause):
                asides[" ".join(clause)] = None
            if "who" in clause and is_neutral(after := clause[clause.index("who") + 1 :]):
                relative_clauses[" ".join(after)] = None
        for article, noun, verb in zip(review, review[1:], review[2:], strict=False):
            if article == "the" and verb in ("is", "was") and noun in lexicon.neutral:
                subjects[f"the {noun}"] += 1
    return Phrases([subject for subject, _ in subjects.most_common(SUBJECTS)], list(asides), list(relative_clauses))
