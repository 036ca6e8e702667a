"""Bigram embeddings against a loop over each review's tokens; collisions of the hash."""

import pytest
import torch

from sentiment_rnn.models.bigrams import FACTOR, PRIME, BigramEmbedding


def test_each_step_has_the_vector_of_its_token_and_the_one_before():
    embedding = BigramEmbedding(buckets=97, size=5)
    ids = torch.randint(0, 30_000, (12, 3))
    vectors = embedding(ids)
    for review in range(3):
        before = 0
        for step, token in enumerate(ids[:, review].tolist()):
            row = (before * FACTOR + token) % PRIME % 97  # Python's integers do not overflow
            assert torch.equal(vectors[step, review], embedding.table.weight[row])
            before = token


@pytest.mark.parametrize("buckets", [1000, 1024, 2**18])
@pytest.mark.parametrize("frequent", [60, 300])
def test_frequent_pairs_collide_no_more_often_than_at_random(buckets, frequent):
    """Frequent tokens have small ids, whose pairs a weak hash maps to few rows."""
    pairs = torch.cartesian_prod(torch.arange(frequent), torch.arange(frequent))
    used = len(BigramEmbedding(buckets, size=1).rows(pairs.t())[1].unique())
    at_random = buckets * (1 - (1 - 1 / buckets) ** len(pairs))
    assert used > 0.95 * at_random
