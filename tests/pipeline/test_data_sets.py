"""Another data set and back: neither DVC's files nor MLflow's names mix, and what comes back is up to date."""

import json
from pathlib import Path

import pytest
from conftest import shrunk_values
from cures import run_cure
from project import GIT, create, stages_in, succeed

from sentiment_rnn.data.synthetic import generate


@pytest.fixture
def two_data_sets(tmp_path: Path) -> Path:
    """A project in git and DVC with the data sets synthetic and mine, both committed after `dvc repro baseline`."""
    create(tmp_path, shrunk_values())
    texts, labels = generate(150, seed=3)
    rows = [
        json.dumps({"text": text, "mood": ("sad", "glad")[label]}) for text, label in zip(texts, labels, strict=True)
    ]
    (tmp_path / "mine.jsonl").write_text("\n".join(rows))
    succeed(tmp_path, "dvc", "repro", "baseline@tfidf_logistic")
    commit(tmp_path, "synthetic")
    run_cure(succeed(tmp_path, "sentiment-rnn", "init", "mine.jsonl"), "dvc repro download", tmp_path)
    succeed(tmp_path, "dvc", "repro", "baseline@tfidf_logistic")
    commit(tmp_path, "mine")
    return tmp_path


def commit(folder: Path, name: str) -> None:
    for command in (["add", "."], ["commit", "--quiet", "-m", name], ["tag", name]):
        succeed(folder, *GIT, *command)


def test_a_data_set_that_comes_back_is_up_to_date_and_a_changed_file_is_not(two_data_sets):
    folder = two_data_sets
    for name in ("synthetic", "mine"):
        succeed(folder, *GIT, "checkout", "--quiet", name)
        succeed(folder, "dvc", "checkout", "--with-deps", "baseline@tfidf_logistic")
        assert json.loads((folder / "data/raw/dataset.json").read_text())["dataset"] == name
        assert not stages_in(succeed(folder, "dvc", "repro", "--dry", "baseline@tfidf_logistic"))
    assert json.loads((folder / "reports/train/baselines/tfidf_logistic.json").read_text())["dataset"] == "mine"
    with (folder / "sources/mine/mine.jsonl").open("a") as file:
        file.write('\n{"text": "one more", "mood": "glad"}')
    assert "download" in stages_in(succeed(folder, "dvc", "repro", "--dry", "download"))
