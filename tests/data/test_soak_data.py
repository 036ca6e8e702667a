"""A million short texts: the stages' memory stays below 4 GiB."""

import random
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import ROOT, shrunk_values, write_params

LIMIT = 4 * 2**30
WORDS = [f"word{number}" for number in range(5_000)]


@pytest.mark.soak
def test_a_million_short_rows_download_tokenize_and_train_below_4_gib(project: Path):
    values = shrunk_values()
    values["data"]["dataset"] = "mine"
    values["datasets"]["mine"] = {"files": "sources/mine/rows.csv", "labels": {"bad": [0], "good": [1]}}
    values["models"]["rnn"] |= {"batch_size": 1024, "max_epochs": 1, "word_vectors": False}
    values["search"]["architectures"] = []
    write_params(values, project)
    (project / "sources/mine").mkdir(parents=True)
    generator = random.Random(0)
    with (project / "sources/mine/rows.csv").open("w") as file:
        file.write("text,label\n")
        for row in range(1_000_000):
            words = generator.choices(WORDS, k=generator.randint(5, 25))
            file.write(f"{'good' if row % 2 else 'bad'} {' '.join(words)},{row % 2}\n")
    for stage in (["download"], ["tokenize"], ["search", "rnn"], ["train", "rnn"]):
        command = [sys.executable, "-m", f"pipeline.{stage[0]}", *stage[1:]]
        environment = {"PYTHONPATH": f"{ROOT}:{ROOT / 'src'}", "PATH": "/usr/bin:/bin", "OMP_NUM_THREADS": "1"}
        subprocess.run(command, check=True, cwd=project, env=environment)
        used = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024
        print(f"{' '.join(stage)}: {used / 2**30:.2f} GiB")
        assert used < LIMIT, stage
