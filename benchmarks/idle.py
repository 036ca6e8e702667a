"""Seconds of a `dvc repro` with nothing to do, against a `dvc status` without stages.

    python -m benchmarks.idle [--quick]

The finished pipeline is that of `make demo`, in demo/.
"""

import re
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.measure import Ratio, Result, command, interleaved, median_ratio, seconds
from sentiment_rnn.errors import UserError

TITLE = "`dvc repro` with nothing to do"
FOLDER = Path("demo")
REPRO, STATUS = "`dvc repro`, nothing to do", "`dvc status`, no stages"


def dvc(folder: Path, *arguments: str) -> str:
    """The output of a DVC command in a folder."""
    line = [sys.executable, "-m", "dvc", *arguments]
    return subprocess.run(line, cwd=folder, capture_output=True, text=True, check=True).stdout


def measure(quick: bool) -> Result:
    if not FOLDER.is_dir() or "up to date" not in dvc(FOLDER, "status"):
        raise UserError(f"{FOLDER} has no finished pipeline: run `make demo`")
    stages = len(re.findall(r"^\S+$", dvc(FOLDER, "stage", "list", "--name-only"), re.MULTILINE))
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        dvc(empty, "init", "--quiet", "--no-scm")
        taken = interleaved(
            {
                REPRO: lambda: seconds(lambda: dvc(FOLDER, "repro")),
                STATUS: lambda: seconds(lambda: dvc(empty, "status")),
            },
            3 if quick else 7,
            warm_up=1,
        )
    rows = [[name, f"{statistics.median(each):.2f}"] for name, each in taken.items()]
    ratios = {"`dvc repro` / `dvc status`": Ratio(median_ratio(taken, REPRO, STATUS))}
    return Result(ratios, ["command", "median, s"], rows, [f"{stages} stages."])


if __name__ == "__main__":
    command("idle", TITLE, measure)
