"""Tasks that need memory over a known number of steps; their sequences are sampled without end.

The adding problem (Hochreiter & Schmidhuber, 1997), copy memory (the same; in the form of Arjovsky et al., 2016), and
the long-range task: synthetic reviews whose verdict is a given number of tokens before their end.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.studies.claims import corpus

TaskName = Literal["adding", "copy", "long-range"]
SYMBOLS, COPIED = 8, 5  # of copy memory: different symbols, and how many are to be recalled


class Sequences(NamedTuple):
    """A batch: `inputs` `(T, B, F)`, or token ids `(T, B)`; `lengths` `(B,)`; `targets`, one per prediction."""

    inputs: Tensor
    lengths: Tensor
    targets: Tensor


class Task(NamedTuple):
    """A task at one length.

    Attributes:
        features: of each step; of token ids the size of the vocabulary.
        vocabulary: whether the inputs are token ids.
        outputs: of the readout.
        chance: the error of the best prediction without memory.
        solved: the error below which the task counts as solved.
        sample: sequences of the split `train` or `held-out`.
        predict: the predictions, from the readout of all steps `(T, B, outputs)` and the lengths.
        loss: that is minimized, of predictions and targets.
        error: of predictions and targets.
    """

    features: int
    vocabulary: bool
    outputs: int
    chance: float
    solved: float
    sample: Callable[[int, Generator, str], Sequences]
    predict: Callable[[Tensor, Tensor], Tensor]
    loss: Callable[[Tensor, Tensor], Tensor]
    error: Callable[[Tensor, Tensor], Tensor]


def make_task(name: TaskName, length: int, work: Path, reviews: int) -> Task:
    """A task by its name.

    Args:
        name: of the task.
        length: steps over which something must be remembered (the adding problem: of the whole sequence).
        work: folder for the corpora of the long-range task.
        reviews: training reviews of the long-range task.
    """
    return {"adding": _adding, "copy": _copy}[name](length) if name != "long-range" else _reviews(length, work, reviews)


def _adding(length: int) -> Task:
    """Two of `length` random numbers are marked, one in each half: predict their sum after the last step."""

    def sample(count: int, generator: Generator, _: str) -> Sequences:
        numbers = torch.rand(length, count, generator=generator)
        marks = torch.zeros(length, count)
        for first, last in ((0, length // 2), (length // 2, length)):
            marks.scatter_(0, torch.randint(first, last, (1, count), generator=generator), 1.0)
        inputs = torch.stack([numbers, marks], dim=-1)
        return Sequences(inputs, torch.full((count,), length), (numbers * marks).sum(0))

    def predict(readout: Tensor, _: Tensor) -> Tensor:
        return readout[-1].squeeze(-1)

    # the variance of a sum of two uniform numbers is 1/6: the error of predicting 1
    return Task(2, False, 1, 1 / 6, 0.01, sample, predict, F.mse_loss, F.mse_loss)


def _copy(length: int) -> Task:
    """Some symbols, `length` blanks, then for each symbol a step at which it is to be recalled, in order."""
    blank, recall = SYMBOLS, SYMBOLS + 1

    def sample(count: int, generator: Generator, _: str) -> Sequences:
        symbols = torch.randint(0, SYMBOLS, (COPIED, count), generator=generator)
        ids = torch.cat([symbols, torch.full((length, count), blank), torch.full((COPIED, count), recall)])
        return Sequences(F.one_hot(ids, SYMBOLS + 2).float(), torch.full((count,), len(ids)), symbols)

    def predict(readout: Tensor, _: Tensor) -> Tensor:
        return readout[-COPIED:]

    return Task(SYMBOLS + 2, False, SYMBOLS, 1 - 1 / SYMBOLS, 0.01, sample, predict, _cross_entropy, _wrong)


def _reviews(length: int, work: Path, reviews: int) -> Task:
    """Reviews with `length` tokens without an opinion after their verdict: predict their label."""
    folder = corpus.tokenize(work, length, reviews)
    encoding = Encoding(corpus.VOCAB_SIZE, length + corpus.MAX_VERDICT, "tail", "post")
    splits = {name: TokenizedReviews(folder, [split], encoding) for name, split in _SPLITS.items()}

    def sample(count: int, generator: Generator, split: str) -> Sequences:
        found = splits[split]
        rows = torch.randint(0, len(found), (count,), generator=generator)
        ids, lengths, labels = found[rows.tolist()]
        return Sequences(ids, lengths, labels.long())

    def predict(readout: Tensor, lengths: Tensor) -> Tensor:
        return readout[lengths - 1, torch.arange(len(lengths))]

    return Task(corpus.VOCAB_SIZE, True, 2, 0.5, 0.05, sample, predict, _cross_entropy, _wrong)


_SPLITS = {"train": "train", "held-out": "test"}


def _cross_entropy(predictions: Tensor, targets: Tensor) -> Tensor:
    return F.cross_entropy(predictions.flatten(0, -2), targets.flatten())


def _wrong(predictions: Tensor, targets: Tensor) -> Tensor:
    return (predictions.argmax(-1) != targets).float().mean()
