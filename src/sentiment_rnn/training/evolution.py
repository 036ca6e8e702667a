"""Neuroevolution: a part of the classifier is trained by CMA-ES, without gradients."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.models.merging import mean_probability
from sentiment_rnn.models.trainable import trainable_parameters
from sentiment_rnn.training.cma_es import CMAES
from sentiment_rnn.training.module import SentimentModule

LOGIT_STEP = 0.3  # how far the first readouts' logits lie from those of the mean
LOGIT_STEP_OF_BIASES = 0.05  # the same for the gate biases, which start where the readout has been fitted to them
PROBE = 0.01  # of gate biases: a change small enough for the logits to follow in proportion
READOUTS = 4  # times pycma's population: a readout costs next to nothing once the features are there


class EvolutionModule(SentimentModule):
    """A batch is a generation: all candidates are judged by their loss on it, without dropout.

    Where there are two parts, the gate biases are evolved after the readout, in the last quarter of the epochs (at
    least one): a generation of theirs costs as many forward passes as it has candidates, one of readouts a single one.
    What belongs to Adam, its learning rate and the like, is not looked at.
    """

    automatic_optimization = False

    def on_train_epoch_start(self) -> None:
        super().on_train_epoch_start()
        self.model.eval()

    @torch.no_grad()
    def training_step(self, batch: Batch, _: int) -> None:  # type: ignore[override]
        optimizers = self.optimizers()
        optimizers = optimizers if isinstance(optimizers, list) else [optimizers]
        epochs = cast(int, self.trainer.max_epochs)
        part = int(len(optimizers) == 2 and self.current_epoch >= max(1, epochs - max(1, epochs // 4)))
        evolved = cast(CMAES, optimizers[part].optimizer)
        logits = self._readouts(batch, evolved) if part == 0 else self._biases(batch, evolved)
        labels = batch.labels.expand_as(logits)
        losses = F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1)
        losses = self._over_ranks(losses)
        optimizers[part].step(closure=lambda: losses[1:])
        self.update_metrics(logits[0], losses[0], batch.labels)  # before the step, as Adam's

    def _readouts(self, batch: Batch, evolved: CMAES) -> Tensor:
        """Logits `(1 + P, B)` of the mean and the candidates.

        They share the features, so one matrix product is all. Their steps are in the features' own units, or CMA-ES
        would spend its generations on finding these out: the states of an untrained LSTM are as small as 0.003.
        """
        features = [
            found.float() for found in self.model.pool(self.model.encode(batch.ids, batch.lengths), batch.lengths)
        ]
        if not evolved.begun:
            steps = [F.pad(1 / (len(found.T) ** 0.5 * found.std(dim=0)), (0, 1), value=1.0) for found in features]
            evolved.begin(self._over_ranks(LOGIT_STEP * torch.cat(steps)), READOUTS)
        blocks = torch.cat([evolved.mean[None], evolved.candidates]).chunk(len(features), dim=1)
        with torch.autocast(self.device.type, enabled=False):  # candidates differ by less than bfloat16 can tell
            logits = [
                F.linear(found, block[:, :-1], block[:, -1]).T for found, block in zip(features, blocks, strict=True)
            ]
        return logits[0] if len(logits) == 1 else mean_probability(*logits)

    def _biases(self, batch: Batch, evolved: CMAES) -> Tensor:
        """Logits `(1 + P, B)` of the mean and the candidates, a forward pass each.

        Their first step is measured too: the readout is steep by now, and what is a small step for a gate is a large
        one for the logit.
        """
        if not evolved.begun:
            start = parameters_to_vector(evolved.parameters)
            random = torch.Generator().manual_seed(self.hparams["seed"])
            probe = start + PROBE * torch.randn(len(start), generator=random).to(start)
            before, after = self._logits_with(batch, evolved, torch.stack([start, probe]))
            change = self._over_ranks((after - before).square().mean()).sqrt()
            evolved.put(start)
            evolved.begin(torch.full_like(start, float(LOGIT_STEP_OF_BIASES * PROBE / change)), 1)
        return self._logits_with(batch, evolved, torch.cat([evolved.mean[None], evolved.candidates]))

    def _logits_with(self, batch: Batch, evolved: CMAES, points: Tensor) -> Tensor:
        """Logits `(P, B)` with the gate biases of each of `points`, `(P, n)`; leaves the last of them in the model."""
        logits = []
        for values in points:
            evolved.put(values)
            features = self.model.pool(self.model.encode(batch.ids, batch.lengths), batch.lengths)
            with torch.autocast(self.device.type, enabled=False):
                logits.append(self.model.head([found.float() for found in features]))
        return torch.stack(logits)

    def _over_ranks(self, values: Tensor) -> Tensor:
        """The mean over the processes, each of which has an equal share of the batch."""
        return cast(Tensor, self.trainer.strategy.reduce(values, reduce_op="mean"))

    def configure_optimizers(self) -> list[CMAES]:
        seed, trainable = self.hparams["seed"], self.hparams["trainable"]
        return [CMAES(part, (seed, number)) for number, part in enumerate(trainable_parameters(self.model, trainable))]
