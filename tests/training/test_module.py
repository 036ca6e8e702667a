"""The LightningModule's arithmetic, against plain torch."""

import pytest
import torch

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.training.module import SentimentModule

ARCHITECTURE = {
    "vocab_size": 50, "embedding_size": 5, "cell": "lstm", "hidden_size": 4, "num_layers": 1, "bidirectional": True,
    "initial": "keras", "memory": None, "merge": "concat", "pooling": ["last"],
    "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
}  # fmt: skip


def module(**changes) -> SentimentModule:
    torch.manual_seed(0)
    values = {
        "architecture": ARCHITECTURE, "scored": "validation", "learning_rate": 0.02, "schedule": "constant",
        "adam_epsilon": 1e-7, "gradient_clip": 1.0, "seed": 7, "trained": "all",
    }  # fmt: skip
    return SentimentModule(**(values | changes))


@pytest.fixture
def batch() -> Batch:
    torch.manual_seed(1)
    return Batch(torch.randint(2, 50, (6, 3)), torch.tensor([6, 4, 1]), torch.tensor([1.0, 0.0, 1.0]))


def test_the_loss_is_the_mean_negative_log_likelihood(batch):
    trained = module()
    positive = trained(batch.ids, batch.lengths).sigmoid()
    likelihood = torch.stack([positive[0], 1 - positive[1], positive[2]])
    assert trained.training_step(batch, 0).item() == pytest.approx(-likelihood.log().mean().item(), rel=1e-6)


def test_the_optimizer_is_adam_with_the_values_asked_for():
    optimizer = module().configure_optimizers()
    assert isinstance(optimizer, torch.optim.Adam)
    (group,) = optimizer.param_groups
    assert (group["lr"], group["eps"], group["weight_decay"]) == (0.02, 1e-7, 0)


def test_a_step_is_adams_first_step(batch):
    trained = module(gradient_clip=None)
    before = {name: weights.detach().clone() for name, weights in trained.named_parameters()}
    optimizer = trained.configure_optimizers()
    trained.training_step(batch, 0).backward()
    optimizer.step()
    for name, weights in trained.named_parameters():  # Kingma & Ba: after one step m / sqrt(v) is g / |g|
        expected = before[name] - 0.02 * weights.grad / (weights.grad.abs() + 1e-7)
        assert torch.allclose(weights, expected, atol=1e-6), name


def test_clipping_scales_all_gradients_together(batch):
    trained = module(gradient_clip=0.001)
    trained.training_step(batch, 0).backward()
    raw = torch.cat([weights.grad.flatten() for weights in trained.parameters()])
    trained.configure_gradient_clipping()
    clipped = torch.cat([weights.grad.flatten() for weights in trained.parameters()])
    assert raw.norm() > 0.001
    assert torch.allclose(clipped, raw * 0.001 / raw.norm(), rtol=1e-3, atol=1e-9)


def test_a_checkpoints_hyperparameters_are_plain_values():
    kept = dict(module().hparams)
    assert kept["architecture"] == ARCHITECTURE
    assert {type(value) for value in kept.values()} <= {dict, str, float, int, type(None)}
