"""McNemar's exact test against published p values and the binomial's own sum."""

from math import comb

import numpy as np
import pytest

from sentiment_rnn.evaluation.mcnemar import mcnemar


def outcomes(both: int, first: int, second: int, neither: int) -> tuple[np.ndarray, np.ndarray]:
    """Where each of two models is right, given how often which of them is, in mixed order."""
    pairs = np.repeat([[1, 1], [1, 0], [0, 1], [0, 0]], [both, first, second, neither], axis=0).astype(bool)
    np.random.default_rng(0).shuffle(pairs)
    return pairs[:, 0], pairs[:, 1]


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(121, 59, 0.000004), (70, 59, 0.378688), (80, 59, 0.089452), (30, 60, 0.00206)],  # vassarstats, by statsmodels
)
def test_p_is_the_published_one(first, second, p):
    found = mcnemar(*outcomes(101, first, second, 33))
    assert found[:4] == (101, first, second, 33)
    assert found.p == pytest.approx(p, abs=5e-7)


@pytest.mark.parametrize(("first", "second"), [(0, 6), (9, 1), (12, 30)])
def test_p_is_twice_the_binomials_tail_and_the_same_the_other_way_round(first, second):
    count, fewer = first + second, min(first, second)
    tail = sum(comb(count, k) for k in range(fewer + 1)) / 2**count
    right = outcomes(5, first, second, 5)
    assert mcnemar(*right).p == pytest.approx(2 * tail)
    assert mcnemar(*right[::-1]).p == pytest.approx(2 * tail)


def test_models_that_differ_nowhere_or_equally_often_cannot_be_told_apart():
    assert mcnemar(*outcomes(5, 0, 0, 2)).p == 1
    assert mcnemar(*outcomes(5, 7, 7, 2)).p == 1
