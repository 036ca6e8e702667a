"""Language-model pre-training of the embedding and the recurrent layers.

Dai & Le (2015), "Semi-supervised sequence learning": the classifier is initialized with the language model's weights.
Two directions are two language models with a common embedding and decoder (Peters et al., 2018, "Deep contextualized
word representations").
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor, nn

from sentiment_rnn.data.batches import Batch, BucketBatchSampler, Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.pooling import mask
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.training.callbacks import History
from sentiment_rnn.training.datamodule import loader
from sentiment_rnn.training.fit import make_trainer
from sentiment_rnn.training.module import one_cycle

TRANSFERRED = ("embedding.", "encoder.")  # prefixes of the weights that initialize the classifier


class LanguageModule(pl.LightningModule):
    """Cross-entropy of the next token given the previous ones; of two directions the mean of both losses.

    Args:
        model: parameters of a causal architecture: a state must not depend on the token that it predicts.
        steps: batches of the whole training, for the one-cycle schedule.
    """

    def __init__(self, model: ModelParams, steps: int) -> None:
        super().__init__()
        self.chosen = model
        self.steps = steps
        self.model = Classifier(**model.architecture())
        if self.model.bigrams:  # they would leak the predicted token to the backward direction
            self.model.bigrams.requires_grad_(False).table.weight.zero_()
        # adaptive softmax (Grave et al., 2017); token ids are in order of frequency, which it needs
        cutoffs = [model.vocab_size // 20, model.vocab_size // 4]
        self.decoder = nn.AdaptiveLogSoftmaxWithLoss(self.model.encoder.hidden_size, model.vocab_size, cutoffs)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        states = self.model.encode(batch.ids, batch.lengths)
        has_next = mask(len(states) - 1, batch.lengths - 1)
        forward, *backward = states.split(self.model.encoder.hidden_size, dim=-1)
        with torch.autocast(states.device.type, enabled=False):  # log-probabilities of rare words need float32
            loss: Tensor = self.decoder(forward[:-1][has_next].float(), batch.ids[1:][has_next]).loss
            for half in backward:
                loss = (loss + self.decoder(half[1:][has_next].float(), batch.ids[:-1][has_next]).loss) / 2
        self.log("language_loss", loss, on_step=False, on_epoch=True, batch_size=int(has_next.sum()))
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.chosen.learning_rate, fused=True)
        return one_cycle(optimizer, self.chosen.learning_rate, self.steps)

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        # as in SentimentModule
        if self.chosen.gradient_clip is not None:
            nn.utils.clip_grad_norm_(self.parameters(), self.chosen.gradient_clip)


def pretrain(
    name: str,
    model: ModelParams,
    params: TrainerParams,
    seed: int,
    *,
    tokens: str | Path,
    reviews: int,
    logger: Logger | bool,
    max_epochs: int = 1,
) -> dict[str, Tensor]:
    """Train a language model on unlabeled reviews.

    Args:
        name: in the progress output.
        model: the classifier's parameters, with `padding: post`; several layers must be unidirectional.
        params: Trainer's.
        seed: of the initial values, the subsample of reviews, their order.
        tokens: folder of the tokenize stage.
        reviews: number of reviews; all if there are fewer.
        logger: for the loss; False: none.
        max_epochs: of the training.

    Returns:
        The weights of the embedding and the encoder, by their names in `Classifier`.
    """
    encoding = Encoding(**model.encoding())
    unlabeled = TokenizedReviews(tokens, ["unsupervised"], encoding)
    if not len(unlabeled):  # train's texts, without their labels
        unlabeled = TokenizedReviews(tokens, ["train"], encoding)
    unlabeled.subsample(min(1.0, reviews / len(unlabeled)), seed)
    batches = BucketBatchSampler(unlabeled.lengths, encoding, model.batch_size, seed)
    torch.manual_seed(seed)
    module = LanguageModule(model, max_epochs * len(batches))
    history = History(name, int(np.minimum(unlabeled.lengths, encoding.max_length).sum()))
    trainer = make_trainer(
        params,
        model.batch_size,
        max_epochs=max_epochs,
        logger=logger,
        callbacks=[history],
        use_distributed_sampler=False,
        enable_checkpointing=False,
        enable_model_summary=False,
        enable_progress_bar=False,
    )
    trainer.fit(module, loader(unlabeled, batches))
    weights = module.model.state_dict()
    return {key: weights[key].cpu() for key in weights if key.startswith(TRANSFERRED)}
