"""How long a training will take on this machine, from a few of its own steps."""

from typing import NamedTuple

from sentiment_rnn.data.batches import LengthBatches
from sentiment_rnn.data.tokenized import TokenizedReviews

STEPS = 12  # that are timed, after as many that build the kernels


class Work(NamedTuple):
    """Some of an epoch's batches, and how many times their tokens the whole epoch has."""

    reviews: TokenizedReviews
    batches: LengthBatches
    times: float
