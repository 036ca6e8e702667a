"""Skip-gram vectors of words whose contexts are known, and the stage when it is killed."""

import hashlib
import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import ROOT, shrunk_values, write_params

from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.data.corpus import UNKNOWN
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json
from sentiment_rnn.training import pretrained
from sentiment_rnn.training.word_vectors import learn, word_vectors

PARAMS = params.Params.model_validate(shrunk_values()).word_vectors
VOCABULARY = 30
RARE = 22  # occurs in one review
TOPICS = [range(2, 12), range(12, 22)]
DIGEST = """
import hashlib, sys
from pathlib import Path
from sentiment_rnn import params
from sentiment_rnn.training.word_vectors import learn
learned = learn(params.load().word_vectors, tokens=Path(sys.argv[1]), vocab_size=500)
print(hashlib.sha256(learned.numpy().tobytes()).hexdigest())
"""


@pytest.fixture(scope="module")
def topics(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Tokenized reviews of one of two topics each, which have no word in common; one review has a rare word."""
    folder = tmp_path_factory.mktemp("topics")
    random = np.random.default_rng(7)
    for split, size in (("train", 150), ("unsupervised", 250)):
        ids = [np.append(random.choice(TOPICS[row % 2], 20), UNKNOWN).astype(np.int32) for row in range(size)]
        if split == "train":
            ids[0][3] = RARE
        store.save_tokens(ids, np.zeros(size), np.arange(size), folder / split)
    return folder


def vectors(topics: Path, **changes) -> torch.Tensor:
    chosen = PARAMS.model_copy(update={"epochs": 5, "min_count": 5, "sample": 0.0, **changes})
    return learn(chosen, tokens=topics, vocab_size=VOCABULARY)


def test_words_of_one_topic_are_nearer_than_words_of_two(topics):
    normalized = torch.nn.functional.normalize(vectors(topics, epochs=20), dim=1)
    cosines = normalized @ normalized.t()
    first, second = (list(topic) for topic in TOPICS)
    within = torch.cat([cosines[topic][:, topic][~torch.eye(10, dtype=torch.bool)] for topic in (first, second)])
    across = cosines[first][:, second]
    assert within.min() > across.max() + 0.2


def test_every_row_of_the_vocabulary_has_a_vector_and_those_of_rare_words_are_zero(topics):
    found = vectors(topics)
    assert found.shape == (VOCABULARY, PARAMS.size)
    assert found.dtype == torch.float32
    assert set(found.any(dim=1).nonzero().flatten().tolist()) == {*TOPICS[0], *TOPICS[1]}
    assert vectors(topics, min_count=1)[RARE].any()


def test_the_same_seed_gives_the_same_vectors_and_another_does_not(topics):
    assert torch.equal(vectors(topics), vectors(topics))
    assert not torch.equal(vectors(topics), vectors(topics, seed=8))


def test_another_process_with_other_hashes_gives_the_same_vectors(chosen, tokens):
    here = learn(chosen.word_vectors, tokens=tokens, vocab_size=500)
    environment = os.environ | {"PYTHONHASHSEED": "1", "PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(
        [sys.executable, "-c", DIGEST, tokens], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == hashlib.sha256(here.numpy().tobytes()).hexdigest()


def test_each_epoch_is_one_line_with_the_remaining_time(topics, capsys):
    vectors(topics, epochs=4)
    first, *lines = capsys.readouterr().out.splitlines()
    assert first == "word_vectors: counting the words of 400 reviews ..."
    assert [line.split(" in ")[0] for line in lines] == [f"word_vectors: epoch {n}/4" for n in (1, 2, 3, 4)]
    assert all(line.endswith("left") for line in lines)


def test_a_min_count_above_all_counts_is_refused_in_one_line(topics):
    with pytest.raises(UserError, match=r"^params\.yaml: word_vectors\.min_count: no word occurs 10000 times"):
        vectors(topics, min_count=10_000)


# the stage


def test_the_stage_writes_vectors_that_a_model_loads_and_finishes_its_run(chosen, tokens, client, tmp_path):
    report = word_vectors(chosen, tokens, tmp_path / "vectors")
    model = chosen.model_of("lstm")
    loaded = pretrained.load(model, tmp_path / "vectors", tokens)[pretrained.EMBEDDING]
    learned = learn(chosen.word_vectors, tokens=tokens, vocab_size=chosen.tokenizer.vocab_size)
    assert torch.equal(loaded, learned[: model.vocab_size])
    assert (report["dataset"], report["words"]) == ("synthetic", int(learned.any(dim=1).sum()))
    run = client.get_run(report["run_id"])
    assert run.info.status == "FINISHED"
    assert run.data.params["window"] == str(chosen.word_vectors.window)
    assert not list((tmp_path / "work").rglob("*.json"))


def test_the_run_of_a_killed_stage_does_not_stay_running(project, tokens, client):
    values = shrunk_values()
    values["word_vectors"]["epochs"] = 100_000
    write_params(values, project)
    shutil.copytree(tokens, project / "data/tokens")
    environment = os.environ | {"PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'src'}"}
    process = subprocess.Popen(
        [sys.executable, "-m", "pipeline.word_vectors"], env=environment, stdout=subprocess.PIPE, text=True
    )
    assert any("epoch 1/100000" in line for line in process.stdout)
    process.send_signal(signal.SIGKILL)
    process.wait()
    killed = read_json("work/word_vectors/run.json")["run_id"]
    assert client.get_run(killed).info.status == "RUNNING"
    assert not (project / "data/word_vectors").exists()
    write_params(shrunk_values(), project)
    finished = word_vectors(params.load(), project / "data/tokens", project / "data/word_vectors")["run_id"]
    assert (client.get_run(killed).info.status, client.get_run(finished).info.status) == ("KILLED", "FINISHED")
