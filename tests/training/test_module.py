"""The LightningModule against plain torch: loss, adversarial perturbation, optimizer, clipping, metrics."""

import pytest
import torch

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.training.module import SentimentModule, adversarial_perturbation

ARCHITECTURE = {
    "vocab_size": 50, "embedding_size": 5, "bigram_size": 0, "bigram_buckets": 9,
    "cell": "lstm", "hidden_size": 4, "num_layers": 1, "bidirectional": True,
    "initializer": "keras", "chrono_init": None, "merge_mode": "concat", "cell_options": {}, "pooling": ["last"],
    "word_dropout": 0.0, "embedding_dropout": 0.0, "dropout": 0.0,
}  # fmt: skip


def module(**changes) -> SentimentModule:
    torch.manual_seed(0)
    values = {
        "architecture": ARCHITECTURE, "eval_split": "validation", "learning_rate": 0.02, "lr_schedule": "constant",
        "adam_epsilon": 1e-7, "gradient_clip": 1.0, "seed": 7, "trainable": "all",
        "label_smoothing": 0.0, "adversarial_epsilon": None,
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


def test_label_smoothing_spreads_each_label_over_both_classes(batch):
    trained = module(label_smoothing=0.2)
    with torch.no_grad():
        positive = trained(batch.ids, batch.lengths).sigmoid()
    targets = torch.tensor([0.9, 0.1, 0.9])  # a fifth of each label spread over both classes
    expected = -(targets * positive.log() + (1 - targets) * (1 - positive).log()).mean()
    assert trained.training_step(batch, 0).item() == pytest.approx(expected.item(), rel=1e-6)


def test_the_adversarial_perturbation_has_norm_epsilon_and_is_zero_at_padding(batch):
    model = module().model
    embedded = model.embed(batch.ids)
    loss = torch.nn.functional.binary_cross_entropy_with_logits(
        model.forward_embedded(embedded, batch.lengths), batch.labels
    )
    perturbation = adversarial_perturbation(loss, embedded, 0.3)
    assert not perturbation.requires_grad
    assert torch.allclose(perturbation.square().sum((0, 2)).sqrt(), torch.tensor(0.3))
    assert not perturbation[4:, 1].any()
    assert not perturbation[1:, 2].any()


@pytest.mark.parametrize("seed", range(5))
def test_no_random_perturbation_of_that_norm_raises_the_loss_more(batch, seed):
    torch.manual_seed(seed)
    model = module().model

    def losses(embedded):
        logits = model.forward_embedded(embedded, batch.lengths)
        return torch.nn.functional.binary_cross_entropy_with_logits(logits, batch.labels, reduction="none")

    embedded = model.embed(batch.ids)
    adversarial = adversarial_perturbation(losses(embedded).mean(), embedded, 1e-3)
    other = torch.randn_like(embedded)
    other *= 1e-3 / other.square().sum((0, 2), keepdim=True).sqrt()
    assert (losses(embedded + adversarial) > losses(embedded)).all()
    assert (losses(embedded + adversarial) > losses(embedded + other)).all()


def test_the_adversarial_loss_is_added_to_the_loss(batch):
    plain, trained = module(), module(adversarial_epsilon=0.3)
    embedded = plain.model.embed(batch.ids)
    loss = plain.training_step(batch, 0)
    loss_of = torch.nn.functional.binary_cross_entropy_with_logits
    before = loss_of(plain.model.forward_embedded(embedded, batch.lengths), batch.labels)
    perturbed = loss_of(
        plain.model.forward_embedded(embedded + adversarial_perturbation(before, embedded, 0.3), batch.lengths),
        batch.labels,
    )
    assert trained.training_step(batch, 0).item() == pytest.approx((loss + perturbed).item(), rel=1e-5)
    assert perturbed > loss


def test_an_embedding_that_is_not_trained_can_be_perturbed(batch):
    trained = module(trainable="readout", adversarial_epsilon=0.3)
    trained.training_step(batch, 0).backward()
    assert trained.model.embedding.weight.grad is None
    assert trained.model.readout.weight.grad is not None


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
    saved = dict(module().hparams)
    assert saved["architecture"] == ARCHITECTURE
    assert {type(value) for value in saved.values()} <= {dict, str, float, int, type(None)}


def test_metrics_of_an_epoch_are_means_over_its_reviews(batch):
    evaluated = module()
    torch.nn.init.zeros_(evaluated.model.readout.weight)
    torch.nn.init.constant_(
        evaluated.model.readout.bias, 0.3
    )  # positive as a logit, negative if it were taken for a probability
    one = Batch(batch.ids[:, 1:2], batch.lengths[1:2], batch.labels[1:2])
    evaluated.validation_step(batch, 0)
    evaluated.validation_step(one, 1)
    for labels, logits in ((batch.labels, torch.full((3,), 0.3)), (one.labels, torch.full((1,), 0.3))):
        evaluated.update_metrics(logits, torch.nn.functional.binary_cross_entropy_with_logits(logits, labels), labels)
    right, wrong = (torch.nn.functional.softplus(torch.tensor(logit)) for logit in (-0.3, 0.3))
    for accuracy, loss in (
        (evaluated.eval_accuracy, evaluated.eval_loss),
        (evaluated.train_accuracy, evaluated.train_loss),
    ):
        assert accuracy.compute().item() == pytest.approx(2 / 4)
        assert loss.compute().item() == pytest.approx((2 * right + 2 * wrong).item() / 4, rel=1e-6)
