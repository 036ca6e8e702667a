"""What trained models, networks and linear rivals, say of a split: their logits and its labels."""

from pathlib import Path
from typing import NamedTuple

import numpy as np

from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.inference import saved, score
from sentiment_rnn.linear import model as linear
from sentiment_rnn.linear import reviews


class Scored(NamedTuple):
    """Logits of "positive" `(N,)` and labels `(N,)`, in the split's order."""

    logits: np.ndarray
    labels: np.ndarray


def network(folder: Path, tokens: Path, split: str) -> Scored:
    """Score a network, read from `folder`, on reviews that the tokenize stage left in `tokens`."""
    model, encoding, _ = saved.load(folder)
    read = TokenizedReviews(tokens, [split], encoding)
    return Scored(score.logits(model, read), read.labels)


def rival(folder: Path, raw: Path, tokens: Path, split: str) -> Scored:
    """Score a linear rival, read from `folder`, on the raw reviews that `tokens` was made from."""
    read = reviews.load(raw, tokens, split)
    return Scored(linear.load(folder).logits(read.texts), read.labels)
