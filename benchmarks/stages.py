"""`dvc repro` with nothing to do, and the sample pipeline stage by stage: imports, set-up, work.

    python -m benchmarks.stages [--quick]

In a project of its own: the stages of dvc.yaml on the sample with params.yaml's values, but for `ARCHITECTURES`. Then
all architectures are named and what they would leave is stood in for by empty files, which `dvc commit` takes for
theirs: so `dvc repro` has the real pipeline's stages to look through, and nothing to do. `--quick` does not run it.
"""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlflow import MlflowClient
from ruamel.yaml import YAML

from benchmarks.measure import Ratio, Result, command, in_turn, ratio, seconds
from sentiment_rnn.files import read_json, write_json

TITLE = "Pipeline: `dvc repro` with nothing to do, and the sample pipeline by stage"
ARCHITECTURES = ["bilstm", "lstm"]
REPRO, STATUS = "`dvc repro`, nothing to do", "`dvc status`, empty pipeline"


@contextmanager
def project() -> Iterator[Path]:
    """A copy of this project without data, in git and DVC."""
    Path("work").mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(dir="work") as name:
        folder = Path(name).absolute()
        for file in ("dvc.yaml", ".dvcignore", ".gitignore"):
            shutil.copy(file, folder / file)
        for part in ("pipeline", "src"):
            shutil.copytree(part, folder / part, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
        write_params(folder, ARCHITECTURES)
        run(folder, "git", "init", "--quiet")
        run(folder, "dvc", "init", "--quiet")
        run(folder, "git", "add", ".")
        run(folder, "git", "-c", "user.name=b", "-c", "user.email=b@example.org", "commit", "--quiet", "-m", "all")
        yield folder


def write_params(folder: Path, architectures: list[str] | None = None) -> None:
    yaml = YAML()
    values = yaml.load(Path("params.yaml").read_text())
    values["data"]["source"] = "sample"
    if architectures:
        values["architectures"] = architectures
    with (folder / "params.yaml").open("w") as file:
        yaml.dump(values, file)


def run(folder: Path, *line: str) -> str:
    """A command's output, in the project and with its own code."""
    environment = {name: value for name, value in os.environ.items() if name != "MLFLOW_TRACKING_URI"}
    environment |= {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src"),
    }
    done = subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{line}: {done.stdout[-2000:]}{done.stderr[-2000:]}")
    return done.stdout


def stages(folder: Path) -> list[str]:
    """All stages' names, in the order in which they run."""
    return re.findall(r"^(\S+)$", run(folder, "dvc", "stage", "list", "--name-only"), re.MULTILINE)


def stand_in(folder: Path) -> None:
    """Empty files for all that the pipeline leaves, and DVC's word for it that they are its own."""
    write_params(folder)
    listed = YAML(typ="safe").load((folder / "dvc.yaml").read_text())
    chosen = YAML(typ="safe").load((folder / "params.yaml").read_text())
    matrices = {"arch": chosen["architectures"], "baseline": chosen["linear"]["baselines"]}
    for stage in listed["stages"].values():
        items: list[dict[str, str]] = [{}]
        for key in stage.get("matrix", {}):
            items = [{key: value} for value in matrices[key]]
        for item in items:
            for kind in ("outs", "metrics", "plots"):
                for entry in stage.get(kind, []):
                    name = entry if isinstance(entry, str) else next(iter(entry))
                    for key, value in item.items():
                        name = name.replace(f"${{item.{key}}}", value)
                    path = folder / name
                    if path.exists():
                        continue
                    if path.suffix:
                        path.parent.mkdir(parents=True, exist_ok=True)
                        path.write_text("{}")
                    else:
                        write_json(path / "empty.json", {})
    run(folder, "dvc", "commit", "--force", "--quiet")


def nothing_to_do(folder: Path, repeats: int) -> dict[str, list[float]]:
    """Seconds of a `dvc repro` with nothing to do, and of a `dvc status` that knows no stage."""
    with tempfile.TemporaryDirectory() as name:
        empty = Path(name)
        run(empty, "git", "init", "--quiet")
        run(empty, "dvc", "init", "--quiet")
        assert "up to date" in run(folder, "dvc", "repro")
        return in_turn(
            {
                REPRO: lambda: seconds(lambda: run(folder, "dvc", "repro")),
                STATUS: lambda: seconds(lambda: run(empty, "dvc", "status")),
            },
            repeats,
            warm_up=1,
        )


def by_stage(folder: Path) -> list[dict[str, Any]]:
    """Each stage run by itself: its seconds, of them those of imports, of set-up and of work."""
    found = []
    for stage in stages(folder):
        module, _, item = stage.partition("@")
        whole = seconds(lambda stage=stage: run(folder, "dvc", "repro", "--single-item", stage))
        loading = [sys.executable, "-c", f"import pipeline.{module}"]
        imports = statistics.median(seconds(lambda loading=loading: run(folder, *loading)) for _ in range(3))
        asked = seconds(lambda stage=stage: run(folder, "dvc", "repro", "--single-item", stage))  # nothing to do
        work = whole - asked - imports
        if module in ("train", "search"):
            work = min(work, fitted(folder, module, item))
        found.append({"stage": stage, "whole": whole, "dvc": asked, "imports": imports, "work": work})
    return found


def fitted(folder: Path, module: str, architecture: str) -> float:
    """Seconds in which models were trained, scored and saved, from the times of the MLflow runs; the rest is set-up."""
    client = MlflowClient(f"sqlite:///{folder}/mlruns/mlflow.db")
    experiment = client.get_experiment_by_name("sample" if module == "train" else "sample-search")
    runs = client.search_runs([experiment.experiment_id], f"tags.architecture = '{architecture}'")
    spans = [(run.info.start_time, run.info.end_time) for run in runs]
    if module == "train":
        return sum(end - start for start, end in spans) / 1000
    trials = [(run.info.start_time, run.info.end_time) for run in runs if "mlflow.parentRunId" in run.data.tags]
    return (max(end for _, end in trials) - min(start for start, _ in trials)) / 1000 if trials else 0.0


def measure(quick: bool) -> Result:
    notes, rows, ratios = [], [], {}
    with project() as folder:
        if not quick:
            began = time.perf_counter()
            found = by_stage(folder)
            whole = sum(stage["whole"] for stage in found)
            for stage in found:
                set_up = stage["whole"] - stage["dvc"] - stage["imports"] - stage["work"]
                rows.append([stage["stage"], *(f"{value:.1f}" for value in (stage["whole"], stage["dvc"])),
                             *(f"{value:.1f}" for value in (stage["imports"], set_up, stage["work"]))])  # fmt: skip
            work = sum(stage["work"] for stage in found)
            ratios["not work / all of the sample pipeline"] = Ratio(1 - work / whole, 0.2)
            sample = read_json(folder / "reports/data.json")["dataset"]
            descriptions.append(
                f"The {sample} pipeline with {' and '.join(ARCHITECTURES)}: {whole:.0f} s, of them {work:.0f} s of "
                f"work ({time.perf_counter() - began:.0f} s with what was measured besides)."
            )
        stand_in(folder)
        taken = nothing_to_do(folder, 3 if quick else 7)
        count = len(stages(folder))
    medians = {name: statistics.median(each) for name, each in taken.items()}
    ratios["`dvc repro` / `dvc status`"] = Ratio(ratio(taken, REPRO, STATUS), 2.0)
    descriptions.append(f"{REPRO}, {count} stages: {medians[REPRO]:.2f} s. {STATUS}: {medians[STATUS]:.2f} s.")
    return Result(ratios, ["stage", "s", "DVC", "imports", "set-up", "work"], rows, notes)


if __name__ == "__main__":
    command("stages", TITLE, measure)
