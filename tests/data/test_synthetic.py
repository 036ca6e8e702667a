"""The synthetic corpus is reproducible, balanced, varied, and hard for a bag of words."""

import re
import time

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentiment_rnn.data.corpus import TOKEN
from sentiment_rnn.data.synthetic import BAD, CONTRASTS, GOOD, generate


def bag_of_words_accuracy(dependency_length: int | None) -> float:
    """Accuracy of a unigram logistic regression on held-out reviews."""
    texts, labels = generate(3000, seed=1, dependency_length=dependency_length)
    held_out, truth = generate(1500, seed=2, dependency_length=dependency_length)
    vectorizer = TfidfVectorizer(token_pattern=TOKEN)
    model = LogisticRegression(max_iter=1000).fit(vectorizer.fit_transform(texts), labels)
    return model.score(vectorizer.transform(held_out), truth)


@pytest.mark.parametrize("dependency_length", [None, 30])
def test_same_arguments_give_the_same_reviews(dependency_length):
    assert generate(200, seed=7, dependency_length=dependency_length) == generate(
        200, seed=7, dependency_length=dependency_length
    )


@pytest.mark.parametrize("dependency_length", [None, 30])
def test_other_seeds_give_other_reviews(dependency_length):
    first, _ = generate(2000, seed=1, dependency_length=dependency_length)
    second, _ = generate(2000, seed=2, dependency_length=dependency_length)
    assert len(set(first) & set(second)) <= 2


@pytest.mark.parametrize("dependency_length", [None, 5, 100])
def test_hardly_any_review_is_duplicated(dependency_length):
    texts, _ = generate(3000, seed=3, dependency_length=dependency_length)
    assert len(set(texts)) >= 0.995 * len(texts)


@pytest.mark.parametrize(("count", "positives"), [(1, 0), (2, 1), (7, 3), (1000, 500)])
def test_classes_are_balanced_and_mixed(count, positives):
    texts, labels = generate(count, seed=4)
    assert len(texts) == len(labels) == count
    assert sum(labels) == positives
    assert set(labels) <= {0, 1}
    if count == 1000:
        assert 200 < sum(labels[:500]) < 300


def test_texts_look_like_reviews():
    texts, _ = generate(2000, seed=5)
    lengths = sorted(len(re.findall(TOKEN, text.replace("<br />", " "))) for text in texts)
    assert 45 <= sum(lengths) / len(lengths) <= 120
    assert lengths[100] < 35
    assert lengths[-20] > 120
    assert 0.2 < sum("<br /><br />" in text for text in texts) / len(texts) < 0.8
    assert not any("{" in text for text in texts)


def test_a_bag_of_words_classifies_the_mixture_badly():
    assert 0.55 <= bag_of_words_accuracy(None) <= 0.72


def test_a_bag_of_words_is_near_chance_in_the_long_range_task():
    assert bag_of_words_accuracy(40) <= 0.56


@pytest.mark.parametrize("dependency_length", [1, 5, 100, 400])
def test_dependency_length_is_the_number_of_tokens_after_the_verdict(dependency_length):
    longest_verdict = max(len(re.findall(TOKEN, template)) for template in CONTRASTS) + 2
    texts, _ = generate(300, seed=6, dependency_length=dependency_length)
    for text in texts:
        tokens = [token.lower() for token in re.findall(TOKEN, text)]
        assert dependency_length < len(tokens) <= dependency_length + longest_verdict
        assert not set(tokens[-dependency_length:]) & {*GOOD, *BAD}


def test_ten_thousand_reviews_take_little_time():
    start = time.process_time()
    generate(10_000, seed=8)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0, "seed": 1}, "count must be at least 1, got 0"),
        ({"count": -3, "seed": 1}, "count must be at least 1, got -3"),
        ({"count": 4, "seed": 1, "dependency_length": 0}, "dependency_length must be at least 1 token, got 0"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        generate(**arguments)
