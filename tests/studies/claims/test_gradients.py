"""Gradient norms by position, against finite differences."""

import numpy as np
import pytest
import torch

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.studies.claims.gradients import gradient_norms


@pytest.fixture
def reviews(tokens) -> TokenizedReviews:
    return TokenizedReviews(tokens, ["test"], Encoding(300, 32, "head_tail", "post"))


def test_norms_are_those_of_finite_differences(chosen: params.Params, reviews: TokenizedReviews) -> None:
    torch.manual_seed(7)
    architecture = chosen.models["rnn"].architecture() | {"pooling": ["last"]}
    model = Classifier(**architecture).double().eval()
    reviews.subsample(1 / len(reviews), seed=3)
    norms = gradient_norms(model, reviews, steps=4)
    ids, lengths, _ = reviews[[0]]
    embedded = model.embedding(ids).detach()

    def logit(vectors: torch.Tensor) -> float:
        return float(model.forward_states(model.encoder(vectors, lengths), lengths).detach())

    epsilon = 1e-5
    for step in range(4):
        slopes = []
        for feature in range(embedded.shape[-1]):
            perturbed = embedded.clone()
            perturbed[lengths[0] - 1 - step, 0, feature] += epsilon
            slopes.append((logit(perturbed) - logit(embedded)) / epsilon)
        assert norms[step] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


def test_without_recurrent_weights_no_gradient_flows_back(chosen: params.Params, reviews: TokenizedReviews) -> None:
    architecture = chosen.models["rnn"].architecture() | {"pooling": ["last"]}
    model = Classifier(**architecture).eval()
    with torch.no_grad():
        model.encoder.layers[0][0].weight_hh_l0.zero_()
    norms = gradient_norms(model, reviews, steps=5)
    assert norms[0] > 1e-6
    assert (norms[1:] < 1e-30).all()
