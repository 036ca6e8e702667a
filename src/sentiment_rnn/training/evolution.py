"""Neuroevolution: training of a part of the classifier by CMA-ES, without gradients."""

from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor
from torch.nn.utils import parameters_to_vector

from sentiment_rnn.data.batches import Batch
from sentiment_rnn.models.merging import mean_probability
from sentiment_rnn.models.pooling import full_precision
from sentiment_rnn.models.trainable import trainable_parameters
from sentiment_rnn.training.cma_es import CMAES
from sentiment_rnn.training.module import SentimentModule

READOUT_LOGIT_STD = 0.3  # initial standard deviation of the candidates' logits
BIAS_LOGIT_STD = 0.05  # the same for gate biases: the readout has been fitted to their initial values
BIAS_PROBE_STD = 0.01  # a change of gate biases for which the logits change linearly
READOUT_POPULATION = 4  # times pycma's: one matrix product evaluates all readouts


class EvolutionModule(SentimentModule):
    """One generation per batch: the candidates' losses on it, without dropout.

    Of two parts the readout is evolved first, the gate biases in the last quarter of the epochs (at least one): a
    generation of gate biases takes a forward pass per candidate, one of readouts a single forward pass. Learning rate,
    dropout and the other parameters of gradient descent are not used.
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
        losses = self._mean_over_ranks(F.binary_cross_entropy_with_logits(logits, labels, reduction="none").mean(dim=1))
        optimizers[part].step(closure=lambda: losses[1:])
        self.update_metrics(logits[0], losses[0], batch.labels)  # before the step, as with Adam

    def _readouts(self, batch: Batch, evolved: CMAES) -> Tensor:
        """Logits `(1 + P, B)` of the mean and the candidates.

        They share the features. The initial standard deviations are scaled by the features': the states of an untrained
        LSTM are as small as 0.003, and CMA-ES would need many generations to adapt to that.
        """
        features = self._features(batch)
        if not evolved.started:
            stds = [F.pad(1 / (len(pooled.T) ** 0.5 * pooled.std(dim=0)), (0, 1), value=1.0) for pooled in features]
            evolved.start(self._mean_over_ranks(READOUT_LOGIT_STD * torch.cat(stds)), READOUT_POPULATION)
        blocks = torch.cat([evolved.mean[None], evolved.candidates]).chunk(len(features), dim=1)
        with torch.autocast(self.device.type, enabled=False):  # candidates differ by less than bfloat16's precision
            logits = [
                F.linear(pooled, block[:, :-1], block[:, -1]).T for pooled, block in zip(features, blocks, strict=True)
            ]
        return logits[0] if len(logits) == 1 else mean_probability(*logits)

    def _biases(self, batch: Batch, evolved: CMAES) -> Tensor:
        """Logits `(1 + P, B)` of the mean and the candidates, a forward pass each.

        The initial standard deviation follows from the change of the logits that a small random change causes: after
        training the readout, the logits are sensitive to the gate biases.
        """
        if not evolved.started:
            initial = parameters_to_vector(evolved.parameters)
            random = torch.Generator().manual_seed(self.hparams["seed"])
            probe = initial + BIAS_PROBE_STD * torch.randn(len(initial), generator=random).to(initial)
            before, after = self._logits_of_biases(batch, evolved, torch.stack([initial, probe]))
            change = self._mean_over_ranks((after - before).square().mean()).sqrt()
            evolved.set_parameters(initial)
            evolved.start(torch.full_like(initial, float(BIAS_LOGIT_STD * BIAS_PROBE_STD / change)), 1)
        return self._logits_of_biases(batch, evolved, torch.cat([evolved.mean[None], evolved.candidates]))

    def _logits_of_biases(self, batch: Batch, evolved: CMAES, biases: Tensor) -> Tensor:
        """Logits `(P, B)` with each row of `biases`, `(P, n)`; the model keeps the last row."""
        logits = []
        for values in biases:
            evolved.set_parameters(values)
            features = self._features(batch)
            with torch.autocast(self.device.type, enabled=False):
                logits.append(self.model.head(features))
        return torch.stack(logits)

    def _features(self, batch: Batch) -> list[Tensor]:
        """The pooled features `(B, F)` of each readout, in float32 under autocast."""
        states = self.model.encode(batch.ids, batch.lengths)
        return [full_precision(pooled) for pooled in self.model.pool(states, batch.lengths)]

    def _mean_over_ranks(self, values: Tensor) -> Tensor:
        """The mean over the processes, whose shares of the batch are equal."""
        return cast(Tensor, self.trainer.strategy.reduce(values, reduce_op="mean"))

    def configure_optimizers(self) -> list[CMAES]:
        seed, trainable = self.hparams["seed"], self.hparams["trainable"]
        return [CMAES(part, (seed, number)) for number, part in enumerate(trainable_parameters(self.model, trainable))]
