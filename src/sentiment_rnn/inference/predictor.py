"""A trained model as a function from raw text to probability: what is served, and what is evaluated."""

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from sentiment_rnn.data.batches import BucketBatchSampler, pad
from sentiment_rnn.data.tokenizer import encode
from sentiment_rnn.inference.serialization import load

BATCH = 128
SURROGATE = re.compile("[\ud800-\udfff]")


class Predictor:
    """Tokenizer, model and temperature together, on the CPU, in float32.

    Args:
        model_folder: written by `serialization.save`.
        tokenizer_file: the tokenizer's JSON.
    """

    def __init__(self, model_folder: str | Path, tokenizer_file: str | Path) -> None:
        self.model, self.encoding, self.temperature = load(model_folder)
        self.tokenizer = Tokenizer.from_file(str(tokenizer_file))

    @torch.inference_mode()
    def positive(self, texts: Sequence[str]) -> np.ndarray:
        """The probability `(N,)` that each of `N` raw texts is positive; each depends on its own text alone.

        Raises:
            ValueError: a text has no words, or half a character (a lone surrogate, as JSON may hold).
        """
        for position, text in enumerate(texts):
            if SURROGATE.search(text):
                raise ValueError(f"text {position} has half a character (a lone surrogate): it is no Unicode text")
        ids = list(encode(self.tokenizer, list(texts)))
        for position, review in enumerate(ids):
            if not len(review):
                raise ValueError(f"text {position} has no words: there is nothing to judge")
        probabilities = np.empty(len(ids))
        lengths = np.array([len(review) for review in ids], dtype=np.int64)
        for rows in BucketBatchSampler(lengths, self.encoding, BATCH):
            logits = self.model(*pad([ids[row] for row in rows], self.encoding))
            probabilities[rows] = torch.sigmoid(logits.double() / self.temperature).numpy()
        return probabilities
