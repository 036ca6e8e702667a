"""How much of the gradient reaches a token that was read many steps before the end."""

import copy

import numpy as np
import torch

from sentiment_rnn.data.batches import BucketBatchSampler
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.models import Classifier

REVIEWS = 512


def norms_by_age(model: Classifier, reviews: TokenizedReviews, steps: int) -> np.ndarray:
    """Norm of the logit's gradient by a token's vector, by how many steps before the last the token stands.

    Args:
        model: one-directional, answering from its last state.
        reviews: those of at least `steps` tokens are taken, 512 of them at most.
        steps: ages to measure.

    Returns:
        `(steps,)`: geometric means over the reviews (arithmetic ones would be those of a few reviews); the first is
        that of the last token.
    """
    model = copy.deepcopy(model).double()  # what is left after a hundred steps may be below float32's smallest number
    long = np.flatnonzero(np.minimum(reviews.lengths, reviews.encoding.max_length) >= steps)[:REVIEWS]
    logarithms = []
    for rows in BucketBatchSampler(reviews.lengths[long], reviews.encoding, batch_size=64):
        ids, lengths, _ = reviews[long[rows].tolist()]
        with torch.no_grad():
            vectors = model.embed(ids)
        vectors.requires_grad_()
        logits = model.forward_states(model.encoder(vectors, lengths), lengths)
        (gradient,) = torch.autograd.grad(logits.sum(), vectors)
        norms = gradient.norm(dim=-1)
        age = torch.arange(steps)[:, None]
        logarithms.append(norms.gather(0, lengths - 1 - age).clamp_min(1e-300).log())
    return torch.cat(logarithms, dim=1).mean(dim=1).exp().numpy()
