"""The invented reviews are reproducible, balanced, varied, and hard for a bag of words."""

import re
import time

import pytest
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression

from sentiment_rnn.data.corpus import TOKEN
from sentiment_rnn.data.synthetic import BAD, CONTRASTS, GOOD, generate


def bag_of_words_accuracy(distance: int | None) -> float:
    """Accuracy of a unigram logistic regression on held-out reviews."""
    texts, labels = generate(3000, seed=1, distance=distance)
    held_out, truth = generate(1500, seed=2, distance=distance)
    vectorizer = TfidfVectorizer(token_pattern=TOKEN)
    model = LogisticRegression(max_iter=1000).fit(vectorizer.fit_transform(texts), labels)
    return model.score(vectorizer.transform(held_out), truth)


@pytest.mark.parametrize("distance", [None, 30])
def test_same_arguments_give_the_same_reviews(distance):
    assert generate(200, seed=7, distance=distance) == generate(200, seed=7, distance=distance)


@pytest.mark.parametrize("distance", [None, 30])
def test_other_seeds_give_other_reviews(distance):
    first, _ = generate(2000, seed=1, distance=distance)
    second, _ = generate(2000, seed=2, distance=distance)
    assert len(set(first) & set(second)) <= 2


@pytest.mark.parametrize("distance", [None, 5, 100])
def test_hardly_any_review_is_repeated(distance):
    texts, _ = generate(3000, seed=3, distance=distance)
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


def test_words_alone_do_not_give_the_class_away():
    assert 0.55 <= bag_of_words_accuracy(None) <= 0.72


def test_words_alone_say_nothing_at_a_distance():
    assert bag_of_words_accuracy(40) <= 0.56


@pytest.mark.parametrize("distance", [1, 5, 100, 400])
def test_distance_separates_the_verdict_from_the_end(distance):
    longest_verdict = max(len(re.findall(TOKEN, template)) for template in CONTRASTS) + 2
    texts, _ = generate(300, seed=6, distance=distance)
    for text in texts:
        tokens = [token.lower() for token in re.findall(TOKEN, text)]
        assert distance < len(tokens) <= distance + longest_verdict
        assert not set(tokens[-distance:]) & {*GOOD, *BAD}


def test_ten_thousand_reviews_take_little_time():
    start = time.process_time()
    generate(10_000, seed=8)
    assert time.process_time() - start < 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"count": 0, "seed": 1}, "count must be at least 1, got 0"),
        ({"count": -3, "seed": 1}, "count must be at least 1, got -3"),
        ({"count": 4, "seed": 1, "distance": 0}, "distance must be at least 1 token, got 0"),
    ],
)
def test_bad_arguments_are_refused_in_one_line(arguments, message):
    with pytest.raises(ValueError, match=f"^{message}$"):
        generate(**arguments)
