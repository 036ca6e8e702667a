"""Logits of many reviews, in float32 on one device, each computed once."""

import numpy as np
import torch

from sentiment_rnn.data.batches import LengthBatches
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.inference.average import Average
from sentiment_rnn.models import Classifier

BATCH = 256


@torch.inference_mode()
def logits(model: Classifier | Average, reviews: TokenizedReviews) -> np.ndarray:
    """Score every review with the model as it stands.

    Args:
        model: in evaluation mode, on the CPU or on a GPU.
        reviews: `N` of them.

    Returns:
        `(N,)` float32 logits of "positive", in the reviews' order.
    """
    device = next(model.parameters()).device
    scores = np.empty(len(reviews), dtype=np.float32)
    for rows in LengthBatches(reviews.lengths, reviews.encoding, BATCH):
        batch = reviews[rows]
        scores[rows] = model(batch.ids.to(device), batch.lengths.to(device)).cpu().numpy()
    return scores
