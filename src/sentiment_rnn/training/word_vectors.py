"""The stage word_vectors: skip-gram word vectors, learned from reviews without their labels.

Mikolov et al. (2013), "Distributed representations of words and phrases and their compositionality", by gensim.
"""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from gensim.models import Word2Vec
from torch import Tensor

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import Params, WordVectorsParams
from sentiment_rnn.progress import duration
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.pretrained import EMBEDDING

SPLITS = ["train", "unsupervised"]  # validation and test stay unread


def word_vectors(params: Params, tokens: Path, out: Path) -> dict[str, Any]:
    """Learn the vectors in an MLflow run of their own, write them.

    Args:
        params: `word_vectors` and `tokenizer` are used.
        tokens: folder of the tokenize stage.
        out: replaced as a whole.

    Returns:
        The report.

    Raises:
        UserError: no word is frequent enough.
    """
    identity, chosen = load_identity(tokens), params.word_vectors
    client = connect()
    run_id = runs.start(
        client,
        identity["dataset"],
        "word_vectors",
        params=chosen.model_dump(),
        tags={"stage": "word_vectors", "seed": str(chosen.seed), "reproduce": "dvc repro word_vectors"},
        identity=identity,
    )
    with runs.running(client, run_id):
        started = time.perf_counter()
        embedding = learn(chosen, tokens=tokens, vocab_size=params.tokenizer.vocab_size)
        seconds = time.perf_counter() - started
        pretrained.save({EMBEDDING: embedding}, chosen.model_dump(), tokens, out)
        words = int(embedding.any(dim=1).sum())
        client.log_metric(run_id, "train_seconds", seconds)
        client.log_metric(run_id, "words", words)
        for file in (pretrained.WEIGHTS, pretrained.DESCRIPTION):
            client.log_artifact(run_id, str(out / file), "weights")
    return {"dataset": identity["dataset"], "words": words, "train_seconds": seconds, "run_id": run_id}


def learn(params: WordVectorsParams, *, tokens: Path, vocab_size: int) -> Tensor:
    """Learn a vector for each word of the vocabulary that occurs often enough.

    The same on every run of a machine: words are numbers, whose hashes no environment changes, and one thread learns.

    Args:
        params: of skip-gram.
        tokens: folder of the tokenize stage.
        vocab_size: rows of the embedding: the vocabulary's size, or more.

    Returns:
        The embedding `(vocab_size, size)`. Padding, the unknown word and words that are too rare have zeros, the vector
        of a word that `word_dropout` drops: an unknown word counts as one that is not read. Each still has its own
        gradient.

    Raises:
        UserError: no word is frequent enough.
    """
    # the encoding decides nothing here: whole reviews are read
    words = Words(TokenizedReviews(tokens, SPLITS, Encoding(vocab_size, 1, "head", "post")))
    print(f"word_vectors: counting the words of {len(words.reviews):,} reviews ...", flush=True)
    skip_gram = Word2Vec(
        sg=1,
        vector_size=params.size,
        window=params.window,
        negative=params.negative,
        min_count=params.min_count,
        sample=params.sample,
        seed=params.seed,
        workers=1,  # several would learn in an order that no seed decides
    )
    skip_gram.build_vocab(words)
    if not len(skip_gram.wv):
        raise UserError(f"params.yaml: word_vectors.min_count: no word occurs {params.min_count} times: a smaller one")
    skip_gram.train(
        words, total_examples=skip_gram.corpus_count, epochs=params.epochs, callbacks=[Progress(params.epochs)]
    )
    embedding = torch.zeros(vocab_size, params.size)
    embedding[torch.tensor(skip_gram.wv.index_to_key)] = torch.from_numpy(skip_gram.wv.vectors)
    return embedding


class Words:
    """The known words of each review, any number of times: one review at a time is in memory."""

    def __init__(self, reviews: TokenizedReviews) -> None:
        self.reviews = reviews

    def __iter__(self) -> Iterator[list[int]]:
        for row in range(len(self.reviews)):
            ids = self.reviews.token_ids(row)
            yield ids[ids > UNKNOWN].tolist()


class Progress:
    """Prints a line per epoch; gensim calls its methods.

    Args:
        epochs: of the whole training.
    """

    def __init__(self, epochs: int) -> None:
        self.epochs = epochs
        self.finished = 0

    def on_train_begin(self, _: Word2Vec) -> None:
        self.training_started = time.perf_counter()

    def on_epoch_begin(self, _: Word2Vec) -> None:
        self.epoch_started = time.perf_counter()

    def on_epoch_end(self, _: Word2Vec) -> None:
        now = time.perf_counter()
        self.finished += 1
        left = (now - self.training_started) / self.finished * (self.epochs - self.finished)
        print(
            f"word_vectors: epoch {self.finished}/{self.epochs} in {now - self.epoch_started:.1f} s, "
            f"about {duration(left)} left",
            flush=True,
        )

    def on_train_end(self, _: Word2Vec) -> None:
        pass
