"""The LightningModule's arithmetic, against plain torch."""

import pytest
import torch

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.training.module import SentimentModule, adversarial_perturbation

ARCHITECTURE = {
    "vocab_size": 50, "embedding_size": 5, "bigram_size": 0, "bigram_buckets": 9,
    "cell": "lstm", "hidden_size": 4, "num_layers": 1, "bidirectional": True,
    "initial": "keras", "memory": None, "merge": "concat", "pooling": ["last"],
    "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
}  # fmt: skip


def module(**changes) -> SentimentModule:
    torch.manual_seed(0)
    values = {
        "architecture": ARCHITECTURE, "scored": "validation", "learning_rate": 0.02, "schedule": "constant",
        "adam_epsilon": 1e-7, "gradient_clip": 1.0, "seed": 7, "trained": "all",
        "label_smoothing": 0.0, "adversarial": None,
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


def test_smoothed_labels_cost_the_certain_more(batch):
    trained = module(label_smoothing=0.2)
    with torch.no_grad():
        positive = trained(batch.ids, batch.lengths).sigmoid()
    targets = torch.tensor([0.9, 0.1, 0.9])  # a fifth of each label spread over both classes
    expected = -(targets * positive.log() + (1 - targets) * (1 - positive).log()).mean()
    assert trained.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_worst_step_has_its_length_and_leaves_padding_alone(batch):
    model = module().model
    embedded = model.embed(batch.ids)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(model.judge(embedded, batch.lengths), batch.labels)
    step = adversarial_perturbation(loss, embedded, 0.3)
    assert not step.requires_grad
    assert torch.allclose(step.square().sum((0, 2)).sqrt(), torch.tensor(0.3))
    assert not step[4:, 1].any()
    assert not step[1:, 2].any()


@pytest.mark.parametrize("seed", range(5))
def test_no_step_of_that_length_is_worse_to_first_order(batch, seed):
    torch.manual_seed(seed)
    model = module().model

    def losses(embedded):
        logits = model.judge(embedded, batch.lengths)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none")

    embedded = model.embed(batch.ids)
    worst = adversarial_perturbation(losses(embedded).mean(), embedded, 1e-3)
    other = torch.randn_like(embedded)
    other *= 1e-3 / other.square().sum((0, 2), keepdim=True).sqrt()
    assert (losses(embedded + worst) > losses(embedded)).all()
    assert (losses(embedded + worst) > losses(embedded + other)).all()


def test_the_adversarial_loss_is_that_of_the_moved_embeddings_beside_the_plain_one(batch):
    plain, trained = module(), module(adversarial=0.3)
    embedded = plain.model.embed(batch.ids)
    loss = plain.training_step(batch, 0)
    of = torch.nn.functional.binary_cross_entropy_with_logits
    before = of(plain.model.judge(embedded, batch.lengths), batch.labels)
    moved = of(
        plain.model.judge(embedded + adversarial_perturbation(before, embedded, 0.3), batch.lengths), batch.labels
    )
    assert trained.training_step(batch, 0).item() == pytest.approx((loss + moved).item(), rel=1e-5)
    assert moved > loss


def test_an_embedding_that_is_not_trained_can_be_moved(batch):
    trained = module(trained="readout", adversarial=0.3)
    trained.training_step(batch, 0).backward()
    assert trained.model.embedding.weight.grad is None
    assert trained.model.readout.weight.grad is not None


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


def test_an_epochs_figures_are_means_over_its_reviews_however_small_their_logits(batch):
    scored = module()
    torch.nn.init.zeros_(scored.model.readout.weight)
    torch.nn.init.constant_(scored.model.readout.bias, 0.3)  # "positive", though it might be taken for a probability
    one = Batch(batch.ids[:, 1:2], batch.lengths[1:2], batch.labels[1:2])
    scored.validation_step(batch, 0)
    scored.validation_step(one, 1)
    for labels, logits in ((batch.labels, torch.full((3,), 0.3)), (one.labels, torch.full((1,), 0.3))):
        scored.update_metrics(logits, torch.nn.functional.binary_cross_entropy_with_logits(logits, labels), labels)
    right, wrong = (torch.nn.functional.softplus(torch.tensor(logit)) for logit in (-0.3, 0.3))
    for accuracy, loss in ((scored.scored_accuracy, scored.scored_loss), (scored.train_accuracy, scored.train_loss)):
        assert accuracy.compute().item() == pytest.approx(2 / 4)
        assert loss.compute().item() == pytest.approx((2 * right + 2 * wrong).item() / 4, rel=1e-6)
