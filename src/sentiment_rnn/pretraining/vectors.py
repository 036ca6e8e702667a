"""Skip-gram word vectors, learned from reviews whose labels nobody looks at.

Mikolov et al. (2013), "Distributed representations of words and phrases and their compositionality", by gensim.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import torch
from gensim.models import Word2Vec

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import ModelParams
from sentiment_rnn.params.pretraining import VectorsParams
from sentiment_rnn.pretraining.weights import EMBEDDING, Learned
from sentiment_rnn.progress import duration

SPLITS = ("train", "unsupervised")  # validation and test stay unread


class Words:
    """The words of each review, as often as one asks: one review at a time is in memory."""

    def __init__(self, reviews: TokenizedReviews) -> None:
        self.reviews = reviews

    def __iter__(self) -> Iterator[list[int]]:
        for row in range(len(self.reviews)):
            ids = self.reviews.whole(row)
            yield ids[ids > UNKNOWN].tolist()


class Progress:
    """A line an epoch; the rows of `Learned.history`. gensim calls its methods.

    Args:
        name: how the line begins.
        epochs: of the whole training.
    """

    def __init__(self, name: str, epochs: int) -> None:
        self.name = name
        self.epochs = epochs
        self.rows: list[dict[str, float]] = []

    def on_train_begin(self, _: Word2Vec) -> None:
        self.began = time.perf_counter()

    def on_epoch_begin(self, _: Word2Vec) -> None:
        self.started = time.perf_counter()

    def on_epoch_end(self, _: Word2Vec) -> None:
        now = time.perf_counter()
        done = len(self.rows) + 1
        self.rows.append({"epoch": done, "epoch_seconds": now - self.started})
        left = (now - self.began) / done * (self.epochs - done)
        print(
            f"{self.name}: epoch {done}/{self.epochs} in {now - self.started:.1f} s: {done / self.epochs:.0%} done, "
            f"about {duration(left)} left",
            flush=True,
        )

    def on_train_end(self, _: Word2Vec) -> None:
        pass


def learn(
    name: str,
    model: ModelParams,
    params: VectorsParams,
    seed: int,
    *,
    tokens: str | Path,
    vocab_size: int,
    splits: Sequence[str] = SPLITS,
) -> Learned:
    """Learn a vector for each word of the vocabulary that occurs often enough.

    The same on every run of a machine: words are numbers, whose hashes no environment changes, and one thread learns.

    Args:
        name: how progress is called.
        model: its `embedding_size` is the vectors'.
        params: skip-gram's.
        seed: of the initial vectors and of what is drawn.
        tokens: folder of the tokenize stage.
        vocab_size: rows of the embedding: the vocabulary's size, or more.
        splits: of the reviews.

    Returns:
        The embedding alone. Padding, the unknown word and words that are too rare have zeros: the vector that a word
        has for a model which drops it (`word_dropout`), so that what is not known counts as what is not read. Each
        still moves with its own gradient.

    Raises:
        UserError: no word is frequent enough.
    """
    words = Words(TokenizedReviews(tokens, list(splits), Encoding(**model.encoding())))
    print(f"{name}: counting the words of {len(words.reviews):,} reviews ...", flush=True)
    progress = Progress(name, params.epochs)
    skip_gram = Word2Vec(
        sg=1,
        vector_size=model.embedding_size,
        window=params.window,
        negative=params.negative,
        min_count=params.min_count,
        sample=params.sample,
        seed=seed,
        workers=1,  # several would learn in an order that no seed decides
    )
    skip_gram.build_vocab(words)
    if not len(skip_gram.wv):
        raise UserError(f"params.yaml: pretrain.vectors.min_count: no word occurs {params.min_count} times: name less")
    skip_gram.train(words, total_examples=skip_gram.corpus_count, epochs=params.epochs, callbacks=[progress])
    embedding = torch.zeros(vocab_size, model.embedding_size)
    embedding[torch.tensor(skip_gram.wv.index_to_key)] = torch.from_numpy(skip_gram.wv.vectors)
    return Learned({EMBEDDING: embedding}, progress.rows)
