"""A model's parameters fitted to a tokenized data set: vocabulary and length are reduced, epochs are added."""

from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNLABELED
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.params import ModelParams

LENGTH_QUANTILE = 0.99  # of train: all longer texts are truncated


def fit_to_data(model: ModelParams, tokens: Path, min_steps: int = 1) -> ModelParams:
    """Fit vocabulary, length and epochs to a data set.

    `vocab_size` and `max_length` are upper limits: a model has no embedding for words that no text has, and no padding
    to lengths that hardly a text has (99% are shorter). A model with teachers learns from the labels alone where there
    are no unlabeled texts, in the epochs that the distillation would have.

    Args:
        model: the parameters.
        tokens: folder of the tokenize stage.
        min_steps: with few texts there are more epochs than `max_epochs`, until there are so many steps of Adam.
    """
    encoding = Encoding(**model.encoding())
    lengths = TokenizedReviews(tokens, ["train"], encoding).lengths
    longest = max(1, int(np.quantile(lengths, LENGTH_QUANTILE, method="higher")))
    vocabulary = Tokenizer.from_file(str(tokens / "tokenizer.json")).get_vocab_size()
    epochs = model.max_epochs
    if model.teachers and not len(TokenizedReviews(tokens, [UNLABELED], encoding)):
        epochs += model.distillation_epochs
    if model.optimizer == "adam":
        epochs = max(epochs, -(-min_steps // -(-len(lengths) // model.batch_size)))
    changes = {
        "vocab_size": min(model.vocab_size, vocabulary),
        "max_length": min(model.max_length, longest),
        "max_epochs": epochs,
        "patience": -(-model.patience * epochs // model.max_epochs),
    }
    return model.model_copy(update=changes)
