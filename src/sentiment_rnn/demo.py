"""The demo: the whole pipeline on the synthetic corpus, in minutes, in a DVC project of its own, `demo/`."""

import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Sequence
from contextlib import chdir
from pathlib import Path

from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn.data import synthetic
from sentiment_rnn.data.sources import mirror_variable
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file, read_json
from sentiment_rnn.params import Params, SyntheticDataset
from sentiment_rnn.params.section import merged
from sentiment_rnn.run import require_dataset, run_and_keep_champion
from sentiment_rnn.tracking import descriptions

FOLDER = Path("demo")
TARGETS = ("compare", "evaluate")
COPIED = ("pipeline", "src", "dvc.yaml", ".dvcignore", "sources/synthetic/.gitkeep")
NOT_COPIED = shutil.ignore_patterns("__pycache__", "*.egg-info")
CANDIDATES = 400  # synthetic reviews from which the two examples are chosen
MAX_CHARACTERS = 150  # of an example
NOT_IMDB = "The reviews are synthetic (src/sentiment_rnn/data/synthetic.py): these accuracies are not IMDB's."


def run_or_demo(targets: Sequence[str]) -> int:
    """Run the pipeline. If its data set is not available and there are no targets, run the demo instead.

    Returns:
        DVC's exit status.

    Raises:
        UserError: the data set is not available, and there are targets.
    """
    try:
        require_dataset()
    except UserError as error:
        if targets:
            raise
        print(f"{error}.\nThe demo runs instead, on synthetic reviews.\n", flush=True)
        status = demo()
        name = params.load().data.dataset
        shown, cure = descriptions.corpus(name), f"`{mirror_variable(name)}=FOLDER make run`"
        print(
            f"\nThis was the demo, not {shown}: {error}.\nFor {shown}: `make run` with network access, or {cure} with "
            "its Parquet files in the hub's layout (FOLDER/CONFIG/SPLIT-*.parquet).",
            flush=True,
        )
        return status
    return run_and_keep_champion(targets)


def demo(root: Path = Path(), folder: Path = FOLDER) -> int:
    """Create the demo's project, run its pipeline, print the results and three commands to try.

    Args:
        root: the project, with params.yaml and demo.yaml.
        folder: the demo's project; results of an earlier demo that are up to date are not computed again.

    Returns:
        DVC's exit status.
    """
    make_project(root, folder)
    print(f"The demo: the whole pipeline on the synthetic corpus, in {folder}/", flush=True)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # networks this small train fastest on one thread
    status = run_and_keep_champion(TARGETS, folder)
    if status == 0:
        print(summary(folder), flush=True)
    return status


def make_project(root: Path, folder: Path) -> None:
    """Create a DVC project with this one's code and pipeline, and params.yaml overridden by demo.yaml.

    Raises:
        UserError: `root` is not the project's root.
    """
    yaml, files = YAML(typ="safe"), (root / "params.yaml", root / "demo.yaml")
    try:
        values = merged(*(yaml.load(file.read_text(encoding="utf-8")) for file in files))
    except FileNotFoundError as error:
        raise UserError(f"{error.filename} is missing: run from the project's root") from None
    folder.mkdir(exist_ok=True)
    if not (folder / ".dvc").exists():
        subprocess.run([sys.executable, "-m", "dvc", "init", "--quiet", "--no-scm"], cwd=folder, check=True)
    for name in (*COPIED, ".dvc/plots"):
        source, target = root / name, folder / name
        if source.is_dir():
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(source, target, ignore=NOT_COPIED)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    with atomic_file(folder / "params.yaml") as file:
        YAML().dump(values, file)


def summary(folder: Path) -> str:
    """Results of a finished demo, and commands to try."""
    chosen = params.load(folder / "params.yaml")
    reports = folder / "reports"
    rows = read_json(reports / "comparison.json")["architectures"].values()
    registered = read_json(reports / "evaluation.json")
    name, version = registered["model"], registered["version"]
    lines = ["", "Accuracy on the test reviews (95% interval):"]
    for row in sorted(rows, key=lambda row: -row["test_accuracy"]):
        low, high = (100 * row[f"test_accuracy_{end}"] for end in ("low", "high"))
        lines.append(f"  {row['architecture']:<18}{100 * row['test_accuracy']:5.1f}%  ({low:.1f} to {high:.1f})")
    lines.append("")
    for architecture in chosen.search.architectures:
        lines.append(f"Search of {architecture}: {read_json(reports / f'search/{architecture}.json')['summary']}.")
    candidate = f"{registered['architecture']}, accuracy {100 * registered['accuracy']:.1f}%"
    lines += [
        f"Registered: {name} version {version} ({candidate}).",
        f"Report: {reports / 'evaluation.html'}; comparison: {reports / 'comparison.md'}",
        NOT_IMDB,
        "",
        "What to do next, from this folder:",
    ]
    positive, negative = examples(chosen, folder)
    command = os.path.relpath(Path(sys.executable).with_name("sentiment-rnn"), folder)
    for arguments in (["predict", positive], ["explain", negative], ["ui"]):
        lines.append(f"  (cd {folder} && {command} {shlex.join(arguments)})")
    return "\n".join(lines)


def examples(chosen: Params, folder: Path) -> tuple[str, str]:
    """A positive and a negative review that the demo's champion classifies correctly.

    They are new synthetic reviews, the short ones with the highest confidence.
    """
    from sentiment_rnn.tracking import registry
    from sentiment_rnn.tracking.store import connect_to_existing

    corpus = chosen.dataset
    assert isinstance(corpus, SyntheticDataset)
    # after the seeds of train, test and unsupervised
    texts, labels = synthetic.generate(CANDIDATES, seed=corpus.seed + 3)
    short = [
        (text, label)
        for text, label in zip(texts, labels, strict=True)
        if len(text) <= MAX_CHARACTERS and not set("<'\"!") & set(text)
    ]
    with chdir(folder):
        version = registry.require_champion(connect_to_existing(), chosen.registered_name).version
        model = registry.load(chosen.registered_name, str(version))
        predictions = model.predict([text for text, _ in short])
    by_probability = sorted(
        (row["probability"], text)
        for row, (text, label) in zip(predictions, short, strict=True)
        if (row["label"] == "positive") == (label == 1)
    )
    return by_probability[-1][1], by_probability[0][1]
