"""The LightningModule of the classifier: loss, metrics, optimizer."""

from typing import Any

import pytorch_lightning as pl
import torch
import torch.nn.functional as F
from torch import Tensor
from torchmetrics import MeanMetric
from torchmetrics.classification import BinaryAccuracy

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.trainable import trainable_parameters


def one_cycle(optimizer: torch.optim.Optimizer, learning_rate: float, steps: int) -> Any:
    """The one-cycle schedule: the learning rate rises to `learning_rate` and falls to 0 within `steps` (Smith, 2018).

    Returns:
        What Lightning's `configure_optimizers` returns.
    """
    # a shorter rise than torch's 0.3, for few epochs; 0.1 of 10 steps is one step, for which torch divides by zero
    rise = 0.1 if steps != 10 else 0.2
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, learning_rate, total_steps=steps, pct_start=rise)
    return {"optimizer": optimizer, "lr_scheduler": {"scheduler": schedule, "interval": "step"}}


def adversarial_perturbation(loss: Tensor, embedded: Tensor, epsilon: float) -> Tensor:
    """The perturbation that raises the loss fastest, to first order (Goodfellow et al., 2015; Miyato et al., 2017).

    Args:
        loss: a mean over reviews; each depends on its own embeddings alone.
        embedded: `(T, B, F)`, the input of the loss, after dropout.
        epsilon: L2 norm of the perturbation of each review, over its `(T, F)`.

    Returns:
        `(T, B, F)`, without a gradient; 0 at padding.
    """
    (gradient,) = torch.autograd.grad(loss, embedded, retain_graph=True)
    norm = torch.linalg.vector_norm(gradient.float(), dim=(0, 2), keepdim=True)
    return epsilon * gradient / norm.clamp_min(torch.finfo(norm.dtype).tiny)


class SentimentModule(pl.LightningModule):
    """Binary cross-entropy, minimized by Adam.

    Args:
        architecture: the arguments of `models.Classifier`.
        eval_split: the split evaluated after each epoch; it is the prefix of the metrics' names.
        learning_rate: Adam's; with `one_cycle` the highest one (Smith, 2018).
        lr_schedule: `constant` or `one_cycle`.
        adam_epsilon: Adam's.
        gradient_clip: the gradient's largest norm, or None.
        seed: with the epoch and the rank the seed of dropout, so that a resumed epoch repeats it.
        trainable: the trained part of the model, see `models.trainable`.
        label_smoothing: probability mass that is spread over both classes (Szegedy et al., 2016).
        adversarial_epsilon: norm of the perturbation of a review's embeddings for a second loss, of the same weight as
            the first (Miyato et al., 2017); None: there is none.
    """

    def __init__(
        self,
        architecture: dict[str, Any],
        eval_split: str,
        learning_rate: float,
        lr_schedule: str,
        adam_epsilon: float,
        gradient_clip: float | None,
        seed: int,
        trainable: str,
        label_smoothing: float,
        adversarial_epsilon: float | None,
    ) -> None:
        super().__init__()
        self.save_hyperparameters(logger=False)
        self.model = Classifier(**architecture)
        trained = [parameter for part in trainable_parameters(self.model, trainable) for parameter in part]
        self.model.requires_grad_(False)
        for parameter in trained:
            parameter.requires_grad_(True)
        self.eval_split = eval_split
        # validating their input would synchronize CPU and GPU at each step
        self.train_loss, self.eval_loss = (MeanMetric(nan_strategy="disable") for _ in range(2))
        self.train_accuracy, self.eval_accuracy = (BinaryAccuracy(validate_args=False) for _ in range(2))

    def forward(self, ids: Tensor, lengths: Tensor) -> Tensor:
        """Logits `(B,)` of ids `(T, B)` and lengths `(B,)`."""
        return self.model(ids, lengths)

    def on_train_epoch_start(self) -> None:
        torch.manual_seed(hash((self.hparams["seed"], self.current_epoch, self.global_rank)))

    def training_step(self, batch: Batch, _: int) -> Tensor:
        smoothing, epsilon = self.hparams["label_smoothing"], self.hparams["adversarial_epsilon"]
        targets = batch.labels * (1 - smoothing) + smoothing / 2
        embedded = self.model.embed(batch.ids)
        if epsilon is not None and not embedded.requires_grad:  # the embedding is not trained
            embedded.requires_grad_()
        logits = self.model.forward_embedded(embedded, batch.lengths).float()
        loss = F.binary_cross_entropy_with_logits(logits, targets)
        self.update_metrics(logits.detach(), loss, batch.labels)
        if epsilon is None:
            return loss
        perturbed = embedded + adversarial_perturbation(loss, embedded, epsilon)
        logits = self.model.forward_embedded(perturbed, batch.lengths).float()
        return loss + F.binary_cross_entropy_with_logits(logits, targets)

    def update_metrics(self, logits: Tensor, loss: Tensor, labels: Tensor) -> None:
        """Add a batch of logits and labels `(B,)` to the epoch's loss and accuracy."""
        self.step_loss = loss.detach()
        self.train_loss.update(self.step_loss.expand_as(labels))
        self.train_accuracy.update((logits > 0).int(), labels.round().int())  # pseudo-labels are between 0 and 1

    def on_train_batch_end(self, *_: Any) -> None:
        # three calls of `log` would take 5 % of a step
        if self.global_step % self.trainer.log_every_n_steps == 0:  # type: ignore[attr-defined]
            self.log("train_loss_step", self.step_loss, on_step=True, on_epoch=False)
        if self.trainer.is_last_batch:
            epoch = {"train_loss": self.train_loss, "train_accuracy": self.train_accuracy}
            self.log_dict(epoch, on_step=False, on_epoch=True)

    def validation_step(self, batch: Batch, _: int) -> None:
        logits = self(batch.ids, batch.lengths).float()
        loss = F.binary_cross_entropy_with_logits(logits, batch.labels)
        self.eval_loss.update(loss.expand_as(batch.labels))
        self.eval_accuracy.update((logits > 0).int(), batch.labels.int())

    def on_validation_epoch_end(self) -> None:
        self.log_dict({f"{self.eval_split}_loss": self.eval_loss, f"{self.eval_split}_accuracy": self.eval_accuracy})

    def configure_optimizers(self) -> Any:
        hparams = self.hparams
        optimizer = torch.optim.Adam(
            self.parameters(), lr=hparams["learning_rate"], eps=hparams["adam_epsilon"], fused=True
        )
        if hparams["lr_schedule"] == "constant":
            return optimizer
        return one_cycle(optimizer, hparams["learning_rate"], int(self.trainer.estimated_stepping_batches))

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        # Lightning does not clip for fused optimizers, because of loss scaling, which is not used here
        if self.hparams["gradient_clip"] is not None:
            torch.nn.utils.clip_grad_norm_(self.parameters(), self.hparams["gradient_clip"])
