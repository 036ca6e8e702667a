"""Logits of trained networks and linear baselines on a split, in float32."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

from sentiment_rnn.baselines import model as baselines
from sentiment_rnn.data import texts
from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.inference import serialization
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import Classifier

BATCH_SIZE = 256


class Predicted(NamedTuple):
    """Logits of "positive" `(N,)` and labels `(N,)`, in the split's order."""

    logits: np.ndarray
    labels: np.ndarray


@torch.inference_mode()
def predict_logits(
    model: Classifier | Ensemble, reviews: TokenizedReviews, device: torch.device | None = None
) -> np.ndarray:
    """Predict the logit of every review.

    Args:
        model: in evaluation mode; it is moved to `device`, and back afterwards.
        reviews: `N` reviews.
        device: None for a GPU if there is one, else the CPU.

    Returns:
        `(N,)` float32 logits of "positive", in the reviews' order.
    """
    device = device or torch.device("cuda" if torch.cuda.is_available() else "cpu")
    original_device = next(model.parameters()).device
    model.to(device)
    logits = np.empty(len(reviews), dtype=np.float32)
    for rows in BucketBatchSampler(reviews.lengths, reviews.encoding, BATCH_SIZE):
        batch = reviews[rows]
        logits[rows] = model(batch.ids.to(device), batch.lengths.to(device)).cpu().numpy()
    model.to(original_device)
    return logits


def network_logits(folder: Path, tokens: Path, split: str) -> Predicted:
    """Load a network and predict a split.

    Args:
        folder: written by `serialization.save`.
        tokens: folder of the tokenize stage.
        split: the split's name.
    """
    model, encoding, _ = serialization.load(folder)
    reviews = TokenizedReviews(tokens, [split], encoding)
    return Predicted(predict_logits(model, reviews), reviews.labels)


def baseline_logits(folder: Path, raw: Path, tokens: Path, split: str) -> Predicted:
    """Load a linear baseline and predict the raw reviews of a split of `tokens`."""
    reviews = texts.load(raw, tokens, split)
    return Predicted(baselines.load(folder).logits(reviews.texts), reviews.labels)
