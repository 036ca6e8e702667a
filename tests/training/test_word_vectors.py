"""Skip-gram vectors of words whose company is known."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data import tokenized
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import ModelParams
from sentiment_rnn.training.pretrained import EMBEDDING
from sentiment_rnn.training.word_vectors import learn

PARAMS = params.Params.model_validate(shrunk_values())
BEST = PARAMS.model_of("best")
VOCABULARY = 30
RARE = 22  # stands in one review only
TOPICS = [range(2, 12), range(12, 22)]
DIGEST = """
import hashlib, sys
from sentiment_rnn import params
from sentiment_rnn.training.word_vectors import learn
chosen = params.load()
learned = learn("best", chosen.model_of("best"), chosen.pretrain.vectors, 7, tokens=sys.argv[1], vocab_size=500)
print(hashlib.sha256(learned.weights["embedding.weight"].numpy().tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def talk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokenized reviews that each keep to one of two topics, whose words never meet; one has a rare word."""
    folder = tmp_path_factory.mktemp("talk")
    random = np.random.default_rng(7)
    for split, size in (("train", 150), ("unsupervised", 250)):
        ids = [np.append(random.choice(TOPICS[row % 2], 20), UNKNOWN).astype(np.int32) for row in range(size)]
        if split == "train":
            ids[0][3] = RARE
        tokenized.save(ids, np.zeros(size), np.arange(size), folder / split)
    return folder


def vectors(talk: Path, seed: int = 7, model: ModelParams = BEST, **changes) -> torch.Tensor:
    chosen = PARAMS.pretrain.vectors.model_copy(update={"epochs": 5, "min_count": 5, "sample": 0.0, **changes})
    learned = learn("best, vectors", model, chosen, seed, tokens=talk, vocab_size=VOCABULARY)
    assert set(learned.weights) == {EMBEDDING}
    return learned.weights[EMBEDDING]


def test_words_of_one_topic_end_nearer_than_words_of_two(talk):
    found = vectors(talk, epochs=20)
    near = torch.nn.functional.normalize(found, dim=1)
    cosines = near @ near.t()
    first, second = (list(topic) for topic in TOPICS)
    within = torch.cat([cosines[topic][:, topic][~torch.eye(10, dtype=torch.bool)] for topic in (first, second)])
    across = cosines[first][:, second]
    assert within.min() > across.max() + 0.2


def test_every_row_of_the_vocabulary_is_there_and_what_is_too_rare_is_zero(talk):
    found = vectors(talk)
    assert found.shape == (VOCABULARY, BEST.embedding_size)
    assert found.dtype == torch.float32
    assert set(found.any(dim=1).nonzero().flatten().tolist()) == {*TOPICS[0], *TOPICS[1]}
    assert vectors(talk, min_count=1)[RARE].any()


def test_reviews_are_read_whole_however_little_the_classifier_reads(talk):
    short = params.updated(BEST, {"max_length": 2, "vocab_size": 5})
    assert torch.equal(vectors(talk), vectors(talk, model=short))


def test_the_same_seed_gives_the_same_vectors_and_another_does_not(talk):
    assert torch.equal(vectors(talk), vectors(talk))
    assert not torch.equal(vectors(talk), vectors(talk, seed=8))


def test_another_process_with_other_hashes_gives_the_same_vectors(project, tokens):
    said = []
    for seed in ("1", "2"):
        environment = os.environ | {"PYTHONHASHSEED": seed, "PYTHONPATH": str(ROOT / "src")}
        done = subprocess.run(
            [sys.executable, "-c", DIGEST, tokens], env=environment, capture_output=True, text=True, check=True
        )
        said.append(done.stdout.splitlines()[-1])
    chosen = params.load()
    model, skip_gram = chosen.model_of("best"), chosen.pretrain.vectors
    here = learn("best", model, skip_gram, 7, tokens=tokens, vocab_size=500).weights[EMBEDDING]
    assert said == [hashlib.sha256(here.numpy().tobytes()).hexdigest()] * 2


def test_each_epoch_is_said_on_a_line_with_what_is_left(talk, capsys):
    vectors(talk, epochs=4)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "best, vectors: counting the words of 400 reviews ..."
    assert [line.split(" in ")[0] for line in lines] == [f"best, vectors: epoch {n}/4" for n in (1, 2, 3, 4)]
    assert [line.split(": ")[2].split(" ")[0] for line in lines] == ["25%", "50%", "75%", "100%"]
    assert all(line.endswith("left") for line in lines)


def test_words_that_are_all_too_rare_are_told_in_one_line(talk):
    with pytest.raises(UserError, match=r"^params\.yaml: pretrain\.vectors\.min_count: no word occurs 10000 times"):
        vectors(talk, min_count=10_000)
