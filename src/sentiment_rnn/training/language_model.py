"""Language-model pre-training: the embedding and the recurrent layers learn to tell a review's next token.

Dai & Le (2015), "Semi-supervised sequence learning": a classifier then starts from the language model's weights. Of two
directions each is a language model of its own, over the same embedding and decoder (Peters et al., 2018, "Deep
contextualized word representations").
"""

from pathlib import Path
from typing import Any

import numpy as np
import pytorch_lightning as pl
import torch
from pytorch_lightning.loggers import Logger
from torch import Tensor, nn

from sentiment_rnn.data.batches import Batch, BucketBatchSampler, Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.models import Classifier
from sentiment_rnn.models.pooling import mask
from sentiment_rnn.params import ModelParams, TrainerParams
from sentiment_rnn.training.callbacks import History
from sentiment_rnn.training.datamodule import loader
from sentiment_rnn.training.fit import make_trainer
from sentiment_rnn.training.module import one_cycle

TRANSFERRED = ("embedding.", "encoder.")  # how the names of the weights begin that a classifier takes over


class LanguageModule(pl.LightningModule):
    """Cross-entropy of the next token, given those before it; with a backward direction the mean of that and its own.

    Args:
        model: parameters of an architecture whose states have seen no token ahead of theirs, in either direction.
        steps: batches of the whole training, for the one-cycle schedule.
    """

    def __init__(self, model: ModelParams, steps: int) -> None:
        super().__init__()
        self.chosen = model
        self.steps = steps
        self.model = Classifier(**model.architecture())
        if self.model.bigrams:  # they would show the backward direction the token that it is to tell
            self.model.bigrams.requires_grad_(False).table.weight.zero_()
        # rare words are told apart in two steps (Grave et al., 2017); ids are in order of frequency, as it asks for
        cutoffs = [model.vocab_size // 20, model.vocab_size // 4]
        self.decoder = nn.AdaptiveLogSoftmaxWithLoss(self.model.encoder.hidden_size, model.vocab_size, cutoffs)

    def training_step(self, batch: Batch, _: int) -> Tensor:
        states = self.model.encode(batch.ids, batch.lengths)
        followed = mask(len(states) - 1, batch.lengths - 1)
        forward, *backward = states.split(self.model.encoder.hidden_size, dim=-1)
        with torch.autocast(states.device.type, enabled=False):  # log-probabilities of rare words need float32
            loss: Tensor = self.decoder(forward[:-1][followed].float(), batch.ids[1:][followed]).loss
            for half in backward:
                loss = (loss + self.decoder(half[1:][followed].float(), batch.ids[:-1][followed]).loss) / 2
        self.log("language_loss", loss, on_step=False, on_epoch=True, batch_size=int(followed.sum()))
        return loss

    def configure_optimizers(self) -> Any:
        optimizer = torch.optim.Adam(self.parameters(), lr=self.chosen.learning_rate, fused=True)
        return one_cycle(optimizer, self.chosen.learning_rate, self.steps)

    def configure_gradient_clipping(self, *_: Any, **__: Any) -> None:
        # Lightning refuses to clip for a fused optimizer
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
    """Read unlabelled reviews as a language model.

    Args:
        name: how progress is called.
        model: the classifier's parameters, padded behind; of several layers only if they read in one direction.
        params: Trainer's.
        seed: of the initial values, of which reviews, of their order.
        tokens: folder of the tokenize stage.
        reviews: how many are read; fewer where there are fewer.
        logger: where the loss goes; False: nowhere.
        max_epochs: how often they are read.

    Returns:
        The weights of the embedding and the encoder, by their names in `Classifier`.
    """
    encoding = Encoding(**model.encoding())
    unlabelled = TokenizedReviews(tokens, ["unsupervised"], encoding)
    unlabelled.subsample(min(1.0, reviews / len(unlabelled)), seed)
    batches = BucketBatchSampler(unlabelled.lengths, encoding, model.batch_size, seed)
    torch.manual_seed(seed)
    module = LanguageModule(model, max_epochs * len(batches))
    history = History(name, int(np.minimum(unlabelled.lengths, encoding.max_length).sum()))
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
    trainer.fit(module, loader(unlabelled, batches))
    weights = module.model.state_dict()
    return {key: weights[key].cpu() for key in weights if key.startswith(TRANSFERRED)}
