"""A trained baseline, and its files: numbers as safetensors, n-grams as text. No pickle."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
from safetensors.numpy import load_file, save_file

from sentiment_rnn.baselines.ngrams import WEIGHTINGS, counter
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_folder, read_json, refuse_corrupt_files, write_json

NUMBERS, NGRAMS, DESCRIPTION = "model.safetensors", "ngrams.txt", "model.json"


class LinearModel(NamedTuple):
    """A logistic regression over F n-grams.

    Attributes:
        name: of the baseline, a key of `ngrams.WEIGHTINGS`.
        max_ngram: tokens in the longest n-gram.
        ngrams: the F n-grams.
        scale: `(F,)`, factor of each n-gram.
        coefficients: `(F,)`.
        intercept: `(1,)`.
    """

    name: str
    max_ngram: int
    ngrams: list[str]
    scale: np.ndarray
    coefficients: np.ndarray
    intercept: np.ndarray

    def logits(self, texts: list[str]) -> np.ndarray:
        """The logit of "positive" for each text, `(N,)`."""
        counts = counter(self.max_ngram, ngrams=self.ngrams).transform(texts)
        return WEIGHTINGS[self.name].apply(counts, self.scale) @ self.coefficients + self.intercept

    @property
    def parameters(self) -> int:
        """Number of nonzero coefficients, plus the intercept."""
        return int(np.count_nonzero(self.coefficients)) + 1


def save(model: LinearModel, folder: Path) -> None:
    """Write a model, atomically."""
    with atomic_folder(folder) as partial:
        numbers = {"scale": model.scale, "coefficients": model.coefficients, "intercept": model.intercept}
        save_file(numbers, partial / NUMBERS)
        # a token has no white space: one n-gram per line
        (partial / NGRAMS).write_text("\n".join(model.ngrams), encoding="utf-8")
        write_json(partial / DESCRIPTION, {"name": model.name, "max_ngram": model.max_ngram})


def load(folder: Path) -> LinearModel:
    """Read what `save` wrote.

    Raises:
        UserError: the folder holds no model, or a corrupt one.
    """
    if not (folder / NUMBERS).is_file():
        raise UserError(f"{folder} holds no trained model: run `dvc repro baseline` (or `dvc pull`)")
    with refuse_corrupt_files(folder):
        ngrams = (folder / NGRAMS).read_text(encoding="utf-8").split("\n")
        return LinearModel(**read_json(folder / DESCRIPTION), ngrams=ngrams, **load_file(folder / NUMBERS))
