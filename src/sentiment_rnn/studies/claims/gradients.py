"""The gradient with respect to tokens many steps before the end."""

import copy

import numpy as np
import torch

from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.models import Classifier

MAX_REVIEWS = 512


def gradient_norms(model: Classifier, reviews: TokenizedReviews, steps: int) -> np.ndarray:
    """Norm of the logit's gradient with respect to the embedding of the token `k` steps before the last.

    Args:
        model: unidirectional, with pooling `last`.
        reviews: at most 512 of those with at least `steps` tokens are used.
        steps: `k` is below it.

    Returns:
        `(steps,)`: geometric means over the reviews (a few reviews would dominate arithmetic ones), by `k`.
    """
    model = copy.deepcopy(model).double()  # after a hundred steps a norm may be below float32's smallest number
    long = np.flatnonzero(np.minimum(reviews.lengths, reviews.encoding.max_length) >= steps)[:MAX_REVIEWS]
    log_norms = []
    for rows in BucketBatchSampler(reviews.lengths[long], reviews.encoding, batch_size=64):
        ids, lengths, _ = reviews[long[rows].tolist()]
        with torch.no_grad():
            embedded = model.embed(ids)
        embedded.requires_grad_()
        logits = model.forward_states(model.encoder(embedded, lengths), lengths)
        (gradient,) = torch.autograd.grad(logits.sum(), embedded)
        position = lengths - 1 - torch.arange(steps)[:, None]
        log_norms.append(gradient.norm(dim=-1).gather(0, position).clamp_min(1e-300).log())
    return torch.cat(log_norms, dim=1).mean(dim=1).exp().numpy()
