import numpy as np
import pytest
import torch

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.studies.claims.gradients import norms_by_age


@pytest.fixture
def reviews(tokens) -> TokenizedReviews:
    return TokenizedReviews(tokens, ["test"], Encoding(300, 32, "both", "back"))


def test_norms_are_those_of_finite_differences(chosen: params.Params, reviews: TokenizedReviews) -> None:
    torch.manual_seed(7)
    architecture = chosen.models["rnn"].architecture() | {"pooling": ["last"]}
    model = Classifier(**architecture).double().eval()
    reviews.subsample(1 / len(reviews), seed=3)
    measured = norms_by_age(model, reviews, steps=4)
    ids, lengths, _ = reviews[[0]]
    vectors = model.embedding(ids).detach()

    def logit(moved: torch.Tensor) -> float:
        return float(model.classify(model.encoder(moved, lengths), lengths).detach())

    step = 1e-5
    for age in range(4):
        slopes = []
        for feature in range(vectors.shape[-1]):
            moved = vectors.clone()
            moved[lengths[0] - 1 - age, 0, feature] += step
            slopes.append((logit(moved) - logit(vectors)) / step)
        assert measured[age] == pytest.approx(np.linalg.norm(slopes), rel=1e-3)


def test_a_network_without_memory_passes_no_gradient_back(chosen: params.Params, reviews: TokenizedReviews) -> None:
    architecture = chosen.models["rnn"].architecture() | {"pooling": ["last"]}
    model = Classifier(**architecture).eval()
    with torch.no_grad():
        model.encoder.layers[0][0].weight_hh_l0.zero_()
    norms = norms_by_age(model, reviews, steps=5)
    assert norms[0] > 1e-6
    assert (norms[1:] < 1e-30).all()
