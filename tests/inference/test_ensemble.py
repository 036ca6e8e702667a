"""The ensemble's logit is the mean of its members', independent of the batch."""

import numpy as np
import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding, pad
from sentiment_rnn.inference.ensemble import Ensemble
from sentiment_rnn.models import Classifier

PARAMS = params.Params.model_validate(shrunk_values())
LENGTHS = [1, 2, 5, 17, 31, 32, 33, 47, 48, 49, 90]


def member(name: str, seed: int) -> Classifier:
    """A classifier in evaluation mode, with embeddings large enough for the reviews' logits to differ."""
    torch.manual_seed(seed)
    model = Classifier(**PARAMS.model_of(name).architecture()).eval()
    with torch.no_grad():
        model.embedding.weight.mul_(20)
    return model


@pytest.mark.parametrize("name", ["bilstm", "mlstm", "attention_lstm", "bilstm_keras"])
@torch.no_grad()
def test_the_logit_is_the_mean_of_the_members_in_any_batch(name):
    members = [member(name, seed) for seed in range(3)]
    ensemble, encoding = Ensemble(members).eval(), Encoding(**PARAMS.model_of(name).encoding())
    random = np.random.default_rng(0)
    reviews = [random.integers(1, encoding.vocab_size, length) for length in LENGTHS]
    alone = [pad([review], encoding) for review in reviews]
    expected = torch.tensor([sum(model(*batch).item() for model in members) / 3 for batch in alone])
    assert expected.std() > 0.02  # otherwise the comparison proves nothing
    for logits in (torch.cat([ensemble(*batch) for batch in alone]), ensemble(*pad(reviews, encoding))):
        torch.testing.assert_close(logits, expected, rtol=0, atol=1e-5)


@torch.no_grad()
def test_the_odds_are_the_geometric_mean_of_the_members_odds():
    members = [member("bilstm", seed) for seed in range(3)]
    ids, lengths = torch.randint(2, 300, (9, 20)), torch.full((20,), 9)
    probabilities = torch.stack([torch.sigmoid(model(ids, lengths).double()) for model in members])
    odds = (probabilities / (1 - probabilities)).prod(dim=0) ** (1 / 3)
    torch.testing.assert_close(
        torch.sigmoid(Ensemble(members)(ids, lengths).double()), odds / (1 + odds), rtol=0, atol=1e-6
    )
