"""Tokens against the networks' tokenizer, TF-IDF against scikit-learn's, log-count ratios by hand."""

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.feature_extraction.text import TfidfVectorizer
from tokenizers import Tokenizer

from sentiment_rnn.baselines.ngrams import counter, inverse_document_frequency, log_count_ratio, presence, tfidf
from sentiment_rnn.data.texts import load

TEXTS = ["Good, good film.", "A bad film!", "It isn\u2019t good.<br /><br/>Bad <br> bad."]


def test_the_tokens_are_those_of_the_networks(tokens):
    texts = [*TEXTS, *load(tokens.parent / "raw", tokens, "test").texts]
    networks = Tokenizer.from_file(str(tokens / "tokenizer.json"))
    split = counter(1).build_analyzer()
    for text in texts:
        pieces = networks.pre_tokenizer.pre_tokenize_str(networks.normalizer.normalize_str(text))
        assert split(text) == [piece for piece, _ in pieces]


def test_rare_and_longer_ngrams_are_ignored():
    found = counter(2, min_df=2).fit(TEXTS).get_feature_names_out().tolist()
    assert found == sorted([".", "bad", "film", "good"])
    longest = max(len(ngram.split(" ")) for ngram in counter(3).fit(TEXTS).vocabulary_)
    assert longest == 3


def test_line_breaks_are_not_in_ngrams():
    assert not {"br", "<", "/"} & set(counter(2).fit(TEXTS).vocabulary_)


def test_tfidf_agrees_with_scikit_learn(tokens):
    train, test = (load(tokens.parent / "raw", tokens, split) for split in ("train", "test"))
    counted = counter(2, min_df=2)
    counts = counted.fit_transform(train.texts)
    ours = tfidf(counted.transform(test.texts), inverse_document_frequency(counts, train.labels))
    theirs = TfidfVectorizer(
        tokenizer=counter(1).build_analyzer(), token_pattern=None, ngram_range=(1, 2), min_df=2, sublinear_tf=True
    ).fit(train.texts)
    assert theirs.get_feature_names_out().tolist() == counted.get_feature_names_out().tolist()
    np.testing.assert_allclose(ours.toarray(), theirs.transform(test.texts).toarray(), atol=1e-12)


def test_the_log_count_ratio_by_hand():
    counts = csr_matrix([[5, 1, 0], [1, 0, 0], [0, 1, 0], [0, 2, 0]])
    labels = np.array([1, 1, 0, 0])
    # reviews of each class with the n-gram, plus 1: positive 3 2 1, negative 1 3 1
    expected = [np.log((3 / 6) / (1 / 5)), np.log((2 / 6) / (3 / 5)), np.log((1 / 6) / (1 / 5))]
    np.testing.assert_allclose(log_count_ratio(counts, labels), expected)


def test_exchanged_classes_negate_the_ratios():
    counts, labels = counter(3).fit_transform(TEXTS), np.array([1, 0, 1])
    np.testing.assert_allclose(log_count_ratio(counts, labels), -log_count_ratio(counts, 1 - labels))


@pytest.mark.parametrize("scale", [[0.5, -2.0, 3.0], [0.0, 1.0, 1.0]])
def test_presence_is_the_scale_of_each_ngram_that_occurs(scale):
    counts = csr_matrix([[5, 0, 1], [0, 0, 0], [1, 2, 0]])
    expected = [[scale[0], 0, scale[2]], [0, 0, 0], [scale[0], scale[1], 0]]
    assert presence(counts, np.array(scale)).toarray().tolist() == expected
