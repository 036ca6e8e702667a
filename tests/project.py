"""A project of its own in a folder, in git and DVC, and commands in it as a person would type them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from conftest import ROOT, shrunk_values, write_params

ARCHITECTURES = ["bilstm", "bilstm_keras"]
BASELINES = ["tfidf_logistic", "nb_logistic"]
REPORTS = {name: f"reports/train/family/{name}" for name in ARCHITECTURES} | {
    name: f"reports/train/baselines/{name}" for name in BASELINES
}
GIT = ["git", "-c", "user.name=t", "-c", "user.email=t@example.org"]
RUN_OUTPUT = "work/run.txt"  # of the first run


def run(folder: Path, *command: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a command in a project, in the environment that the tests run in."""
    variables = {name: value for name, value in os.environ.items() if not name.startswith("MLFLOW_")} | {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": str(folder / "src") if (folder / "src").exists() else f"{ROOT}{os.pathsep}{ROOT / 'src'}",
        "MLFLOW_SYSTEM_METRICS_SAMPLING_INTERVAL": "0.05",  # MLflow's 10 s are longer than these trainings
    }
    return subprocess.run(
        command, cwd=folder, env=variables | environment, capture_output=True, text=True, check=False, timeout=400
    )


def succeed(folder: Path, *command: str, **environment: str) -> str:
    """The output of a command that has to succeed."""
    done = run(folder, *command, **environment)
    assert done.returncode == 0, f"{command}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def copy_project(project: Path, target: Path) -> None:
    """Copy by another process: one that closes a database file loses the locks of all its connections to it."""
    subprocess.run(["cp", "-a", project, target], check=True)


def stages_in(output: str) -> set[str]:
    """The stages that `dvc repro` runs."""
    return {line.split("'")[1] for line in output.splitlines() if line.startswith("Running stage")}


def values() -> dict:
    """The project's params.yaml."""
    values = shrunk_values() | {"architectures": ARCHITECTURES}
    values["search"] |= {"architectures": ["bilstm"], "min_improvement": 0.0, "workers": 1}
    return values


def create(folder: Path, values: dict) -> None:
    """Make a project, in git and DVC."""
    for name in ("dvc.yaml", ".dvcignore", ".gitignore"):
        shutil.copy(ROOT / name, folder / name)
    for name in ("pipeline", "src", "sources"):
        shutil.copytree(ROOT / name, folder / name, ignore=shutil.ignore_patterns("__pycache__", "*.egg-info"))
    write_params(values, folder)
    for command in (["git", "init", "--quiet"], ["dvc", "init", "--quiet"]):
        succeed(folder, *command)
    shutil.copytree(ROOT / ".dvc/plots", folder / ".dvc/plots", dirs_exist_ok=True)
    succeed(folder, "git", "add", ".")
    succeed(folder, *GIT, "commit", "--quiet", "-m", "all")


def reproduce(folder: Path) -> None:
    """Make the project, with two architectures, and run its pipeline."""
    create(folder, values())
    output = succeed(folder, "sentiment-rnn", "run", "compare", "evaluate")
    (folder / RUN_OUTPUT).write_text(output)
