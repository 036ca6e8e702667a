"""Every command that an error message or docs/troubleshooting.md names is run by a test, as it is printed."""

import ast
import re
import shutil
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from conftest import NAME, ROOT, running_in, save_untrained
from cures import run_cure
from project import copy_project, run, succeed

from sentiment_rnn import params
from sentiment_rnn.baselines import model as baseline
from sentiment_rnn.data.store import load_split
from sentiment_rnn.errors import UserError
from sentiment_rnn.explain import loading
from sentiment_rnn.files import read_json
from sentiment_rnn.inference import evaluate_registered, serialization
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training import distillation, pretrained

PROGRAMS = "chmod|chown|cp|createdb|dvc|git|make|mkdir|mlflow|mv|pip|python|ray|rm|sentiment-rnn|source"
COMMAND = re.compile(rf"([A-Z_]+=\S+ )*({PROGRAMS}|\{{\}}) .*")
NOT_CURES = {
    "dvc push": "a line of DVC's, which is not shown",
    "dvc exp apply {}": "reproduces a run: tests/pipeline/test_dvc_as_used.py",
    "git checkout {} && {}": "reproduces a run: tests/tracking/test_descriptions.py",
    "make ablation": "names the writer of a report",
    "make claims": "names the writer of a report",
    "make ui": "shows the trainings of a report",
    "make {}": "names the command that runs already",
    "sentiment-rnn cross-validate": "advice on a small test split: tests/studies/test_cross_validation.py",
    "sentiment-rnn run": "what to do next: tests/test_run.py",
    "sentiment-rnn ui": "runs until Ctrl-C: tests/serving/test_ui.py",
}


def template(node: ast.expr) -> str:
    """The text of a string literal, with `{}` for what an f-string inserts."""
    if isinstance(node, ast.JoinedStr):
        return "".join(map(template, node.values))
    return str(node.value) if isinstance(node, ast.Constant) else "{}"


def literals(file: Path) -> Iterator[str]:
    """The strings in a file that may be printed: all but docstrings."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    parts = {id(part) for node in ast.walk(tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    parts |= {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        is_string = isinstance(node, ast.JoinedStr) or (isinstance(node, ast.Constant) and isinstance(node.value, str))
        if is_string and id(node) not in parts:
            yield template(node)


def commands(text: str) -> set[str]:
    return {command for command in re.findall(r"`([^`]+)`", text) if COMMAND.fullmatch(command)}


@cache
def printed() -> set[str]:
    """The commands in the source's strings."""
    files = [file for folder in ("src", "pipeline") for file in (ROOT / folder).rglob("*.py")]
    return {command for file in files for text in literals(file) for command in commands(text)} - set(NOT_CURES)


def documented() -> set[str]:
    """The commands in the last column of the page's tables; a word in capitals is to be replaced."""
    rows = re.findall(r"^\|.*\|(.*)\|$", (ROOT / "docs/troubleshooting.md").read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"\b[A-Z]{2,}\b(?!=)", "{}", command) for row in rows for command in commands(row)}


@cache
def run_by_tests() -> set[str]:
    """The templates in the calls of `cures.run_cure`: literals, or values of the test's parameter."""
    found = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        for test in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if not isinstance(test, ast.FunctionDef):
                continue
            for node in ast.walk(test):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "run_cure":
                    literal = isinstance(node.args[1], ast.Constant)
                    values = [node.args[1]] if literal else [each for d in test.decorator_list for each in ast.walk(d)]
                    found |= {str(each.value) for each in values if isinstance(each, ast.Constant)}
    return {command for command in found if COMMAND.fullmatch(command)}


def test_every_command_that_is_printed_is_run():
    assert printed() - run_by_tests() == set()


def test_every_command_of_the_page_is_run():
    assert documented()
    assert documented() - run_by_tests() == set()


def test_no_test_runs_a_command_that_nothing_prints():
    assert run_by_tests() - printed() - documented() == set()


@pytest.fixture(scope="module")
def finished(reproduced: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the finished project, with its own store."""
    folder = tmp_path_factory.mktemp("finished") / "project"
    copy_project(reproduced, folder)
    return folder


TOKENS = Path("data/tokens")


def predictions_on_test() -> None:
    evaluate_registered._baseline(Path("data/predictions"), "nb_logistic", load_split("data/raw", "test"))


def pseudo_labels() -> None:
    distillation.load("student", params.load().model_of("student"), Path("data/pseudo_labels/student"), TOKENS)


@pytest.mark.parametrize(
    ("lost", "use", "template"),
    [
        ("data/tokens", lambda: loading.load_predictor("bilstm"), "dvc repro tokenize"),
        pytest.param(
            "data/word_vectors",
            lambda: pretrained.digest(params.load().model_of("lstm"), Path("data/word_vectors")),
            "dvc repro word_vectors", marks=pytest.mark.soak,
        ),
        ("data/predictions/nb_logistic.parquet", predictions_on_test, "dvc repro baseline_predictions@{}"),
        pytest.param("data/pseudo_labels", pseudo_labels, "dvc repro pseudo_label_{}", marks=pytest.mark.soak),
        ("models/family/bilstm", lambda: loading.load_predictor("bilstm"), "dvc repro {}"),
        pytest.param(
            "models/family/bilstm/seed-7", lambda: serialization.load("models/family/bilstm/seed-7"),
            "dvc repro train", marks=pytest.mark.soak,
        ),
        ("models/baselines/nb_logistic", lambda: baseline.load(Path("models/baselines/nb_logistic")),
         "dvc repro baseline"),
    ],
)  # fmt: skip
def test_what_is_missing_is_made_by_the_printed_command(finished, lost, use, template):
    with running_in(finished):
        shutil.rmtree(lost, ignore_errors=True)
        Path(lost).unlink(missing_ok=True)
        with pytest.raises(UserError) as caught:
            use()
        run_cure(str(caught.value), template, finished)
        use()


def test_a_corrupt_file_comes_back_from_dvcs_cache(finished):
    with running_in(finished):
        folder = Path("models/family/bilstm/seed-7")
        (folder / "model.json").write_text("{")
        with pytest.raises(UserError, match=r"^models/family/bilstm/seed-7 holds a corrupt file ") as caught:
            serialization.load(folder)
        run_cure(str(caught.value), "dvc checkout --force {}", finished)
        serialization.load(folder)


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """A DVC project with one stage, which writes a report, and a model that was pushed to a remote."""
    (tmp_path / "dvc.yaml").write_text("stages: {report: {cmd: echo 1 > report.json, outs: [report.json]}}")
    save_untrained("gru", tmp_path / "model")
    for command in (
        "init --quiet --no-scm", "remote add --quiet --default store remote", "repro --quiet", "add --quiet model",
        "push --quiet",
    ):  # fmt: skip
        succeed(tmp_path, "dvc", *command.split())
    return tmp_path


def test_a_report_is_written_and_a_model_pulled_by_the_printed_commands(small, monkeypatch):
    monkeypatch.chdir(small)
    Path("report.json").unlink()
    with pytest.raises(UserError) as missing:
        read_json("report.json")
    run_cure(str(missing.value), "dvc repro", small)
    assert read_json("report.json") == 1
    for folder in ("model", ".dvc/cache"):
        shutil.rmtree(folder)
    with pytest.raises(UserError) as caught:
        serialization.load("model")
    run_cure(str(caught.value), "dvc pull", small)
    serialization.load("model")


def test_an_example_of_a_command_works(finished):
    def message(*arguments: str) -> str:
        done = run(finished, "sentiment-rnn", *arguments)
        assert done.returncode == 1
        return done.stderr

    assert "Usage: sentiment-rnn promote" in run_cure(message("promote"), "{} --help", finished)
    assert run_cure(message("predict"), "sentiment-rnn predict 'What a film!'", finished).split()[0] in (
        "negative", "positive",
    )  # fmt: skip
    refused = message("explain", "--model", "bilstm", "")
    assert "loved" in run_cure(refused, 'sentiment-rnn explain "I expected nothing, but I loved it"', finished)


def test_a_version_that_was_rolled_back_is_promoted_by_the_printed_command(champion, tmp_path):
    folder = tmp_path / "project"
    copy_project(champion, folder)
    with running_in(folder):
        client = connect()
        first = registry.require_champion(client, NAME)
        second = str(client.create_model_version(NAME, first.source).version)
        promotion.promote_by_hand(client, NAME, second, "test")
        promotion.rollback(client, NAME, "test")
        measured: dict[str, Any] = {}
        reason = promotion.promote(client, NAME, second, measured, params.load().registry.gate, None).reason
        run_cure(reason, "sentiment-rnn promote {}", folder)
        assert str(registry.require_champion(client, NAME).version) == second


def predict(folder: Path) -> tuple[str, str]:
    """The champion's prediction, and the error."""
    done = run(folder, "sentiment-rnn", "predict", "A good film.")
    return done.stdout, done.stderr


@pytest.mark.soak
def test_a_corrupt_database_is_replaced_and_the_model_is_the_same(finished):
    expected, _ = predict(finished)
    (finished / "mlruns/mlflow.db").write_text("this is no database" * 100)
    run_cure(predict(finished)[1], "mkdir {} && mv {}* {} && sentiment-rnn run evaluate", finished)
    assert predict(finished) == (expected, "")
    assert (finished / "mlruns/broken-1/mlflow.db").exists()


@pytest.mark.soak
def test_artifacts_or_an_alias_that_were_deleted_are_made_again(finished):
    expected, _ = predict(finished)
    shutil.rmtree(finished / "mlruns/artifacts/synthetic/models")
    lost = predict(finished)[1]
    assert "version 1 of synthetic-bilstm cannot be loaded" in lost
    output = run_cure(lost, "sentiment-rnn run evaluate", finished)
    assert "synthetic-bilstm version 1 cannot be loaded: " in output
    assert "champion: the champion cannot be loaded" in output
    assert predict(finished) == (expected, "")
    with running_in(finished):
        connect().delete_registered_model_alias(NAME, registry.CHAMPION)
    assert "champion: there was no champion" in succeed(finished, "sentiment-rnn", "run", "evaluate")
    with running_in(finished):
        assert str(registry.require_champion(connect(), NAME).version) == "2"
    assert "stages run: 0" in succeed(finished, "sentiment-rnn", "run", "evaluate")


@pytest.mark.soak
def test_the_extra_that_ray_needs_is_installed_by_the_printed_command(tmp_path):
    code = "import sys; sys.modules['ray'] = None; import sentiment_rnn.execution.ray"
    done = run(tmp_path, sys.executable, "-c", code)
    run_cure(done.stderr.splitlines()[-1], "pip install 'sentiment-rnn[ray]'", tmp_path)
