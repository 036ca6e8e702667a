"""`make check-docs`: a figure that differs from its JSON file, has none, or is missing is reported."""

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "docs/figures.py"


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's documents with figures, and the JSON files."""
    loader = importlib.util.spec_from_file_location("figures", SCRIPT)
    figures = importlib.util.module_from_spec(loader)
    loader.loader.exec_module(figures)
    specification = figures.YAML(typ="safe").load(ROOT / figures.SPECIFICATION)
    for path in (figures.SPECIFICATION, *specification["files"].values(), *specification["documents"]):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / path, tmp_path / path)
    return tmp_path


def check(folder: Path, *options: str) -> list[str]:
    done = subprocess.run([sys.executable, SCRIPT, *options], cwd=folder, capture_output=True, text=True, check=False)
    assert (done.returncode == 0) == (done.stderr == "")
    return done.stderr.splitlines()[:-1]  # the last line is the cure


def replace(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


def test_the_figures_of_the_documents_are_those_of_the_reports(copy):
    assert check(copy) == []


def test_another_figure_is_reported_and_written(copy):
    before = (copy / "README.md").read_text()
    row = next(line for line in before.splitlines() if line.startswith("| `gru` | "))
    accuracy = row.split(" | ")[1].split()[0]
    replace(copy / "README.md", row, row.replace(accuracy, "12.34"))
    (wrong,) = check(copy)
    assert wrong.startswith("README.md: '| `gru` | 12.34 (")
    assert f"should be '| `gru` | {accuracy} (" in wrong
    assert check(copy, "--write") == []
    assert (copy / "README.md").read_text() == before


def test_a_figure_without_a_source_is_reported_with_its_line(copy):
    replace(copy / "docs/accuracy.md", "<!-- /RESULTS -->", "It was 99.99 once.\n\n<!-- /RESULTS -->")
    lines = (copy / "docs/accuracy.md").read_text().splitlines()
    (wrong,) = check(copy)
    line = lines.index("It was 99.99 once.") + 1
    assert wrong == f"docs/accuracy.md, line {line}: 99.99 is in no text of docs/figures.yaml"


def test_a_text_that_is_not_there_or_has_no_value_is_reported(copy):
    (copy / "docs/figures.yaml").write_text(
        "files: {evaluation: reports/evaluation.json}\n"
        "documents:\n"
        "  page.md: ['no document has {evaluation[accuracy]:p2}', 'Its beauty is {evaluation[beauty]}']\n"
    )
    (copy / "page.md").write_text("Its beauty is 1.\n")
    missing, without = check(copy)
    assert missing.startswith("page.md: 0 places have the text 'no document has {evaluation[accuracy]:p2}'")
    assert "no such value: 'beauty'" in without
