"""From texts to n-grams to features: how often each n-gram stands in a review, and what that is worth."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from sentiment_rnn.data.corpus import LINE_BREAK, TOKEN


def counter(max_ngram: int, *, min_df: int = 1, ngrams: Iterable[str] | None = None) -> CountVectorizer:
    """Counts runs of 1 to `max_ngram` tokens, the tokens being those of the networks: words and punctuation.

    Args:
        max_ngram: the longest run.
        min_df: an n-gram that stands in fewer reviews is left out.
        ngrams: the ones to count, in the columns' order; without them `fit` finds them.
    """
    return CountVectorizer(
        preprocessor=_plain,
        token_pattern=TOKEN,
        ngram_range=(1, max_ngram),
        min_df=min_df,
        vocabulary=ngrams,
    )


def _plain(text: str) -> str:
    return LINE_BREAK.sub(" ", text).lower()


class Weighting(NamedTuple):
    """What makes features of counts.

    Attributes:
        learn: from the train reviews' counts `(N, F)` and labels `(N,)`, the scale of each n-gram `(F,)`.
        apply: from any reviews' counts `(N, F)` and the scales, the features `(N, F)`.
    """

    learn: Callable[[csr_matrix, np.ndarray], np.ndarray]
    apply: Callable[[csr_matrix, np.ndarray], csr_matrix]


def inverse_document_frequency(counts: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Log of the share of reviews that an n-gram does not stand in (Spärck Jones, 1972), smoothed; plus 1."""
    reviews, found = counts.shape[0], counts.getnnz(axis=0)
    return np.log((1 + reviews) / (1 + found)) + 1


def tfidf(counts: csr_matrix, scale: np.ndarray) -> csr_matrix:
    """(1 + log count) x scale, each review's features to length 1 (Salton & Buckley, 1988)."""
    damped = counts.astype(np.float64)
    damped.data = (1 + np.log(damped.data)) * scale[damped.indices]
    return normalize(damped, copy=False)


def log_count_ratio(counts: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """How much likelier an n-gram is in positive reviews than in negative ones, as a log (Wang & Manning, 2012).

    Each class counts the reviews that an n-gram stands in, plus 1, and divides by the sum over all n-grams.
    """
    positive, negative = (1 + counts[labels == label].getnnz(axis=0) for label in (1, 0))
    return np.log(positive / positive.sum()) - np.log(negative / negative.sum())


def presence(counts: csr_matrix, scale: np.ndarray) -> csr_matrix:
    """An n-gram's scale where it stands in a review, however often."""
    return csr_matrix((scale[counts.indices], counts.indices, counts.indptr), shape=counts.shape)


WEIGHTINGS = {
    "tfidf_logistic": Weighting(inverse_document_frequency, tfidf),
    "nb_logistic": Weighting(log_count_ratio, presence),
}
