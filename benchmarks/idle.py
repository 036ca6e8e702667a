"""Seconds of a `dvc repro` with nothing to do, against a `dvc status` without stages.

    python -m benchmarks.idle [--quick]

The finished pipeline is that of `make demo`, in demo/.
"""

import re
import statistics
import subprocess
import tempfile
from pathlib import Path

from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio, seconds
from sentiment_rnn.errors import UserError

TITLE = "`dvc repro` with nothing to do"
FOLDER = Path("demo")
REPRO, STATUS = "`dvc repro`, nothing to do", "`dvc status`, no stages"


def run(folder: Path, *line: str) -> str:
    """The output of a command in a folder."""
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True).stdout


def measure(quick: bool) -> Result:
    if not FOLDER.is_dir() or "up to date" not in run(FOLDER, "dvc", "status"):
        raise UserError(f"{FOLDER} holds no finished pipeline: run `make demo`")
    stages = len(re.findall(r"^\S+$", run(FOLDER, "dvc", "stage", "list", "--name-only"), re.MULTILINE))
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        run(empty, "dvc", "init", "--quiet", "--no-scm")
        taken = interleaved(
            {
                REPRO: lambda: seconds(lambda: run(FOLDER, "dvc", "repro")),
                STATUS: lambda: seconds(lambda: run(empty, "dvc", "status")),
            },
            3 if quick else 7,
            warm_up=1,
        )
    rows = [[name, f"{statistics.median(each):.2f}"] for name, each in taken.items()]
    ratios = {"`dvc repro` / `dvc status`": Ratio(median_ratio(taken, REPRO, STATUS))}
    return Result(ratios, ["command", "median, s"], rows, [f"{stages} stages."])


if __name__ == "__main__":
    command("idle", TITLE, measure)
