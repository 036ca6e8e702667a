"""Adjectives with their polarity, learned from the labels of train."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.evaluation.behaviour.words import POLAR
from sentiment_rnn.evaluation.slices import CONTRAST

BEFORE_ADJECTIVES = {  # fraction of an adjective's occurrences, at least, that follow one of the words
    ("very", "too", "so", "extremely", "incredibly"): 0.01,
    ("a", "an", "the", "such", "most"): 0.05,
    ("is", "was", "are", "were", "be", "been", "'s", "it"): 0.03,
    ("very", "too", "so", "extremely", "incredibly", "really", "quite", "pretty", "truly", "utterly", "simply"): 0.03,
}
NEGATIONS = ("not", "no", "any", "nothing", "without", "even", "remotely", "barely", "halfway", "least", "anything")
MAX_NEGATED = (
    0.05  # fraction of the occurrences that follow one of these: the statistics of "coherent" are of "not coherent"
)
MIN_REVIEWS = 50  # of train with a word; of small data sets 1%
MIN_RATIO = 0.8  # of the log of its frequencies in positive and negative reviews
MAX_NEUTRAL = 0.3  # the same of a word without polarity

# in opinions, each of these is more frequent where the label says so
KNOWN = (("awful", "terrible", "worst", "boring", "bad"), ("excellent", "wonderful", "great", "best", "love"))
MIN_KNOWN_RATIO = 0.5  # mean difference of their ratios
MIN_ADJECTIVES = 4  # with fewer of a label there is no lexicon


class Lexicon(NamedTuple):
    """Adjectives by label, with the most polar ones first, the log-count ratio of each, and words without polarity."""

    adjectives: tuple[list[str], list[str]]
    ratio: dict[str, float]
    neutral: frozenset[str] = frozenset()

    def opposites(self, word: str, count: int) -> list[str]:
        """The adjectives of the other label whose polarity is nearest to this one's in size."""
        strength = abs(self.ratio[word])
        others = self.adjectives[int(self.ratio[word] < 0)]
        return sorted(others, key=lambda other: abs(abs(self.ratio[other]) - strength))[:count]


def learn(reviews: Sequence[np.ndarray], labels: np.ndarray, vocabulary: Sequence[str]) -> Lexicon | None:
    """Learn the lexicon; None if the labels are not of opinions in English, or train shows too few adjectives.

    An adjective is a word that follows adverbs of degree, articles and forms of "be"; its polarity is the log-count
    ratio of naive Bayes. The words that the behaviour suite tests are not in the lexicon: they should not be taught.

    Args:
        reviews: token ids of the reviews of train, `(n,)` each.
        labels: `(N,)` of 0 and 1.
        vocabulary: the token of each id.
    """
    size = len(vocabulary)
    counts = np.ones((2, size))
    for ids, label in zip(reviews, labels.astype(int), strict=True):
        counts[label, np.unique(ids)] += 1
    ratio = np.diff(np.log(counts / counts.sum(axis=1, keepdims=True)), axis=0)[0]
    ids = np.concatenate(reviews)
    occurrences = np.maximum(np.bincount(ids, minlength=size), 1)

    def following(words: Sequence[str]) -> np.ndarray:
        follows = np.isin(ids[:-1], np.flatnonzero(np.isin(vocabulary, words)))
        return np.bincount(ids[1:][follows], minlength=size) / occurrences

    adjective = following(NEGATIONS) <= MAX_NEGATED
    for words, fraction in BEFORE_ADJECTIVES.items():
        adjective &= following(words) >= fraction
    reviews_with = counts.sum(axis=0) - 2
    frequent = reviews_with >= min(MIN_REVIEWS, len(reviews) / 100)
    chosen = np.flatnonzero(adjective & frequent & (np.abs(ratio) >= MIN_RATIO)).tolist()
    polar = {
        word: float(ratio[index])
        for index in sorted(chosen, key=lambda index: -abs(ratio[index]))
        if (word := vocabulary[index]).isalpha() and not word.endswith("ly") and word not in POLAR
    }
    positions = {word: index for index, word in enumerate(vocabulary)}
    known = [[ratio[positions[word]] for word in words if word in positions] for words in KNOWN]
    if not all(known) or np.mean(known[1]) - np.mean(known[0]) < MIN_KNOWN_RATIO:
        return None
    neutral = np.flatnonzero(frequent & (np.abs(ratio) <= MAX_NEUTRAL)).tolist()
    lexicon = Lexicon(
        ([word for word in polar if polar[word] < 0], [word for word in polar if polar[word] > 0]),
        polar,
        frozenset(vocabulary[index] for index in neutral if index != UNKNOWN) - POLAR - {*NEGATIONS} - CONTRAST,
    )
    return lexicon if min(map(len, lexicon.adjectives)) >= MIN_ADJECTIVES else None
