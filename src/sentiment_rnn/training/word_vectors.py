"""The stage word_vectors: skip-gram word vectors of the data set, learned from its texts without labels.

Mikolov et al. (2013), "Distributed representations of words and phrases and their compositionality"; gensim.
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
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import Params, WordVectorsParams
from sentiment_rnn.progress import duration
from sentiment_rnn.tracking.stage_run import stage_run
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.pretrained import EMBEDDING

SPLITS = ["train", "unsupervised"]  # not validation and test


def word_vectors(params: Params, tokens: Path, out: Path, work: Path = Path("work/word_vectors")) -> dict[str, Any]:
    """Learn word vectors in an MLflow run and write them.

    Args:
        params: `word_vectors` and `tokenizer` are used.
        tokens: folder of the tokenize stage.
        out: replaced as a whole.
        work: folder for the id of the running MLflow run.

    Returns:
        The report.

    Raises:
        UserError: no word is frequent enough.
    """
    identity, chosen = load_identity(tokens), params.word_vectors
    tags = {"stage": "word_vectors", "seed": str(chosen.seed), "reproduce": "dvc repro word_vectors"}
    with stage_run(work / "run.json", "word_vectors", params=chosen.model_dump(), tags=tags, identity=identity) as (
        client,
        run_id,
    ):
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

    Deterministic on one machine: a single thread learns, and words are integers, whose hashes do not depend on
    PYTHONHASHSEED.

    Args:
        params: of skip-gram.
        tokens: folder of the tokenize stage.
        vocab_size: rows of the embedding, at least the size of the vocabulary.

    Returns:
        The embedding `(vocab_size, size)`. Padding, the unknown word and rare words have zero vectors, like words that
        `word_dropout` removes; each still has its own gradient.

    Raises:
        UserError: no word is frequent enough.
    """
    # reviews are read without truncation: the other values of the encoding have no effect
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
        workers=1,  # several threads would not be deterministic
    )
    skip_gram.build_vocab(words)
    if not len(skip_gram.wv):
        raise UserError(
            f"params.yaml: word_vectors.min_count: no word occurs {params.min_count} times: use a smaller one"
        )
    skip_gram.train(
        words, total_examples=skip_gram.corpus_count, epochs=params.epochs, callbacks=[Progress(params.epochs)]
    )
    embedding = torch.zeros(vocab_size, params.size)
    embedding[torch.tensor(skip_gram.wv.index_to_key)] = torch.from_numpy(skip_gram.wv.vectors)
    return embedding


class Words:
    """Known words of each review, as a restartable iterable with one review in memory at a time."""

    def __init__(self, reviews: TokenizedReviews) -> None:
        self.reviews = reviews

    def __iter__(self) -> Iterator[list[int]]:
        for row in range(len(self.reviews)):
            ids = self.reviews.token_ids(row)
            yield ids[ids > UNKNOWN].tolist()


class Progress:
    """Callback of gensim that prints one line per epoch.

    Args:
        epochs: number of epochs.
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
