"""N-gram counts of texts, and the weightings that turn them into features."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.preprocessing import normalize

from sentiment_rnn.data.corpus import LINE_BREAK, TOKEN


def counter(max_ngram: int, *, min_df: int = 1, ngrams: Iterable[str] | None = None) -> CountVectorizer:
    """A vectorizer of n-grams of 1 to `max_ngram` tokens; the tokens are those of the networks.

    Args:
        max_ngram: tokens in the longest n-gram.
        min_df: n-grams that occur in fewer reviews are ignored.
        ngrams: the vocabulary, in the order of the columns; None: `fit` learns it.
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
    """A weighting of n-grams.

    Attributes:
        learn: maps counts `(N, F)` and labels `(N,)` of train to the scale of each n-gram `(F,)`.
        apply: maps counts `(N, F)` and the scales to features `(N, F)`.
    """

    learn: Callable[[csr_matrix, np.ndarray], np.ndarray]
    apply: Callable[[csr_matrix, np.ndarray], csr_matrix]


def inverse_document_frequency(counts: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Smoothed inverse document frequency, log((1 + N) / (1 + df)) + 1 (Spärck Jones, 1972)."""
    return np.log((1 + counts.shape[0]) / (1 + counts.getnnz(axis=0))) + 1


def tfidf(counts: csr_matrix, scale: np.ndarray) -> csr_matrix:
    """(1 + log count) * scale, normalized to length 1 per review (Salton & Buckley, 1988)."""
    damped = counts.astype(np.float64)
    damped.data = (1 + np.log(damped.data)) * scale[damped.indices]
    return normalize(damped, copy=False)


def log_count_ratio(counts: csr_matrix, labels: np.ndarray) -> np.ndarray:
    """Naive Bayes log-count ratio of positive to negative reviews (Wang & Manning, 2012).

    The counts of a class are the reviews in which an n-gram occurs, plus 1, divided by their sum over all n-grams.
    """
    positive, negative = (1 + counts[labels == label].getnnz(axis=0) for label in (1, 0))
    return np.log(positive / positive.sum()) - np.log(negative / negative.sum())


def presence(counts: csr_matrix, scale: np.ndarray) -> csr_matrix:
    """The scale of each n-gram that occurs in a review, however often."""
    return csr_matrix((scale[counts.indices], counts.indices, counts.indptr), shape=counts.shape)


WEIGHTINGS = {
    "tfidf_logistic": Weighting(inverse_document_frequency, tfidf),
    "nb_logistic": Weighting(log_count_ratio, presence),
}
