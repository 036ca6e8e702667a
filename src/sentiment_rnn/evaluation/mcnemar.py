"""Whether one of two models is right more often, from the reviews on which only one of them is."""

from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest


class McNemar(NamedTuple):
    """Reviews by which of two models is right, and the probability that chance alone parts them so, or further."""

    both: int
    only_first: int
    only_second: int
    neither: int
    p: float


def mcnemar(first: np.ndarray, second: np.ndarray) -> McNemar:
    """McNemar's test (1947), exact: were both equally good, each would be the one that is right half the time.

    Args:
        first, second: `(N,)`, where each is right, of the same reviews.
    """
    only_first, only_second = int((first & ~second).sum()), int((~first & second).sum())
    differ = only_first + only_second
    p = float(binomtest(only_first, differ).pvalue) if differ else 1.0
    return McNemar(int((first & second).sum()), only_first, only_second, int((~first & ~second).sum()), p)
