"""Probabilities of raw texts from a trained model in torch: for `explain`, and the reference of the exported model."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from sentiment_rnn.data.batches import BucketBatchSampler, pad
from sentiment_rnn.data.tokenizer import encode
from sentiment_rnn.inference.serialization import load

BATCH_SIZE = 128


class Predictor:
    """Tokenizer, model and temperature, on the CPU in float32.

    Args:
        model_folder: written by `serialization.save`.
        tokenizer_file: the tokenizer's JSON.
    """

    def __init__(self, model_folder: str | Path, tokenizer_file: str | Path) -> None:
        self.model, self.encoding, self.temperature = load(model_folder)
        self.tokenizer = Tokenizer.from_file(str(tokenizer_file))

    @torch.inference_mode()
    def predict_probabilities(self, texts: Sequence[str]) -> np.ndarray:
        """Predict the probability `(N,)` that each of `N` raw texts is positive, independently of the other texts.

        Raises:
            ValueError: a text has no words.
        """
        ids = list(encode(self.tokenizer, list(texts)))
        lengths = np.array([len(review) for review in ids], dtype=np.int64)
        if (lengths == 0).any():
            raise ValueError(f"text {int(np.argmin(lengths))} has no words: there is nothing to classify")
        probabilities = np.empty(len(ids))
        for rows in BucketBatchSampler(lengths, self.encoding, BATCH_SIZE):
            logits = self.model(*pad([ids[row] for row in rows], self.encoding))
            probabilities[rows] = torch.sigmoid(logits.double() / self.temperature).numpy()
        return probabilities
