"""`make run` and `make demo`: progress over real DVC stages, signals, the demo in place of IMDB, make's variables."""

import json
import os
import pty
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from conftest import ROOT, shrunk_values, write_params
from cures import run_cure
from project import ARCHITECTURES, RUN_OUTPUT, copy_project, run, succeed, values
from ruamel.yaml import YAML

from sentiment_rnn import params
from sentiment_rnn import run as runner
from sentiment_rnn.data import synthetic
from sentiment_rnn.demo import CANDIDATES
from sentiment_rnn.errors import UserError
from sentiment_rnn.params import Params
from sentiment_rnn.params.section import merged
from sentiment_rnn.run import Plan, require_dataset

# under nohup a child inherits that SIGHUP is ignored
# nohup ignores the one, a shell's background the other, and so would the processes that a test starts
RESET_SIGNALS = """import signal
signal.signal(signal.SIGHUP, signal.SIG_DFL)
signal.signal(signal.SIGINT, signal.default_int_handler)
"""
RUN = "import sys; from sentiment_rnn.run import run; sys.exit(run(sys.argv[1:]))"
STAGES = 14  # of `dvc repro compare evaluate` with two architectures
UNREACHABLE = {"HF_ENDPOINT": "http://127.0.0.1:1"}


def test_time_left_is_that_of_each_stages_last_run_else_of_its_group_else_of_all():
    plan = Plan(["a", "train@x", "train@y", "z"], ["a", "train@x", "train@y"], {"a": 4.0, "train@x": 10.0})
    assert plan.seconds_left(0, 1.0) == 3 + 10 + 10, "z is up to date"
    assert plan.seconds_left(0, 9.0) == 10 + 10
    assert plan.seconds_left(3, 0.0) == 7
    assert Plan(["a"], ["a"], {}).seconds_left(0, 1.0) is None


def test_a_run_shows_each_stage_once_and_no_noise(reproduced):
    output = (reproduced / RUN_OUTPUT).read_text()
    lines = output.splitlines()
    shown = [match for line in lines if (match := re.match(r"\[(\d+)/(\d+)\] (\S+): .* elapsed", line))]
    assert [(int(match[1]), int(match[2])) for match in shown] == [(k + 1, STAGES) for k in range(STAGES)]
    assert shown[0][3] == "download"
    assert shown[-1][3] in ("compare", "evaluate")
    assert "left" in shown[-1].string
    assert re.fullmatch(rf"done in \d+ (s|min); stages run: {STAGES}, up to date: 0", lines[-1])
    assert set(json.loads((reproduced / runner.SECONDS).read_text())) == {match[3] for match in shown}
    assert "\x1b" not in output
    noise = [line for line in lines if re.search(r"\d%\||it/s|Warning|^Successfully|^Created|lock file|git add", line)]
    assert not noise
    assert not [line for line, before in zip(lines[1:], lines, strict=False) if line == before]


@pytest.fixture
def stages(tmp_path) -> Path:
    """A DVC project of two stages: each writes its process's number, the second may fail or wait."""
    program = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); print('line of', sys.argv[1])"
    program += "; time.sleep(float(open('seconds').read())) if sys.argv[1] == 'second' else None"
    program += "; sys.exit(int(open('status').read()) if sys.argv[1] == 'second' else 0)"
    (tmp_path / "stage.py").write_text(program)
    (tmp_path / "seconds").write_text("0")
    (tmp_path / "status").write_text("0")
    stage = "  {name}:\n    cmd: python stage.py {name}\n    deps: [stage.py{after}]\n    outs: [{name}]\n"
    text = (
        "stages:\n"
        + stage.format(name="first", after="")
        + stage.format(name="second", after=", first, seconds, status")
    )
    (tmp_path / "dvc.yaml").write_text(text)
    succeed(tmp_path, "dvc", "init", "--quiet", "--no-scm")
    return tmp_path


def test_dvcs_exit_status_and_messages_are_passed_on(stages):
    (stages / "status").write_text("3")
    done = run(stages, sys.executable, "-c", RUN)
    assert done.returncode not in (0, 130)
    assert "line of second" in done.stdout
    assert "failed to reproduce 'second'" in done.stdout
    assert "done" not in done.stdout
    assert set(json.loads((stages / runner.SECONDS).read_text())) == {"first"}, "a failed stage's time is no estimate"

    (stages / "status").write_text("0")
    output = run(stages, sys.executable, "-c", RUN).stdout.splitlines()
    assert re.match(r"\[2/2\] second: \d s elapsed", output[0])
    assert output[-1].endswith("; stages run: 1, up to date: 1")
    assert run(stages, sys.executable, "-c", RUN, "nosuch").returncode == 255


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_dvc_and_its_stage(stages, number):
    (stages / "seconds").write_text("300")
    process = subprocess.Popen(
        [sys.executable, "-c", RESET_SIGNALS + RUN],
        cwd=stages,
        env=os.environ | {"PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        text=True,
    )
    deadline = time.monotonic() + 60
    while not (stages / "second").exists() or not (stages / "second").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    children = psutil.Process(process.pid).children(recursive=True)
    assert int((stages / "second").read_text()) in {child.pid for child in children}
    process.send_signal(number)
    output, _ = process.communicate(timeout=30)
    assert process.returncode == 130
    assert output.splitlines()[-1].startswith("stopped after ")
    assert not psutil.wait_procs(children, timeout=10)[1]


def test_on_a_terminal_the_time_is_shown_while_a_stage_runs(stages):
    (stages / "seconds").write_text("2.5")
    parent, child = pty.openpty()
    environment = os.environ | {"PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", "COLUMNS": "100"}
    process = subprocess.Popen([sys.executable, "-c", RUN], cwd=stages, env=environment, stdout=child, stderr=child)
    os.close(child)
    shown = b""
    while True:
        try:
            shown += os.read(parent, 1024)
        except OSError:  # the other end is closed
            break
    os.close(parent)
    assert process.wait() == 0
    seconds = {int(found) for found in re.findall(rb"\[2/2\] second: (\d+) s elapsed", shown)}
    assert len(seconds) >= 3, "it counts"


@pytest.fixture
def offline(reproduced, tmp_path) -> Path:
    """A project on IMDB, which has finished its demo: the finished project is in demo/."""
    chosen = values()
    for name in ("pipeline", "src", "sources", "dvc.yaml", ".dvcignore"):
        (tmp_path / name).symlink_to(reproduced / name)
    (tmp_path / ".dvc").mkdir()
    (tmp_path / ".dvc/plots").symlink_to(reproduced / ".dvc/plots")
    with (tmp_path / "demo.yaml").open("w") as file:
        YAML().dump({"data": {"dataset": chosen["data"]["dataset"]}}, file)
    chosen["data"]["dataset"] = "imdb"
    write_params(chosen, tmp_path)
    copy_project(reproduced, tmp_path / "demo")
    shutil.rmtree(tmp_path / "demo/.git")
    succeed(tmp_path / "demo", "dvc", "config", "core.no_scm", "true")
    return tmp_path


def test_without_imdb_the_demo_runs_and_that_is_the_first_and_the_last_line(offline):
    output = succeed(offline, "sentiment-rnn", "run", **UNREACHABLE)
    lines = output.splitlines()
    assert lines[0].startswith("stanfordnlp/imdb cannot be downloaded: the hub does not respond")
    assert lines[1] == "The demo runs instead, on synthetic reviews."
    assert lines[-2].startswith("This was the demo, not IMDB")
    assert lines[-1].startswith("For IMDB: ")
    assert f"stages run: 0, up to date: {STAGES}" in output
    for name in ARCHITECTURES:
        assert re.search(rf"^  {name} +\d+\.\d%  \(", output, re.MULTILINE)
    assert "Registered: synthetic-bilstm version 1 (bilstm, accuracy " in output
    assert "Search of bilstm: " in output

    predict, explain, ui = (line for line in lines if line.startswith("  (cd demo && "))
    assert "sentiment-rnn explain " in explain
    assert ui.endswith("sentiment-rnn ui)")
    predicted = succeed(offline, "bash", "-c", predict).split()[0]
    chosen = params.load(offline / "demo/params.yaml")
    texts, labels = synthetic.generate(CANDIDATES, seed=chosen.dataset.seed + 3)
    assert (
        predicted
        == {text: ("negative", "positive")[label] for text, label in zip(texts, labels, strict=True)}[
            re.search("predict '(.*)'", predict)[1]
        ]
    )

    refused = run(offline, "sentiment-rnn", "run", "evaluate", **UNREACHABLE)
    assert refused.returncode == 1
    assert refused.stderr.startswith("error: stanfordnlp/imdb cannot be downloaded")

    shutil.copy(ROOT / "Makefile", offline)
    binaries = offline / ".venv/bin"
    binaries.mkdir(parents=True)
    for name in ("sentiment-rnn", "python"):
        (binaries / name).symlink_to(Path(sys.executable).parent / name)
    (binaries / ".installed").write_text(f"{offline}\n")
    for name in ("pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, offline)
        os.utime(offline / name, (0, 0))  # older than .installed
    assert "This was the demo" in run_cure(lines[-1], "make run", offline, **UNREACHABLE)
    refused = run(offline, "python", "-m", "pipeline.download", HF_HUB_OFFLINE="1")
    assert "Registered: synthetic-bilstm version 1" in run_cure(refused.stderr.splitlines()[-1], "make demo", offline)


def test_a_hub_that_accepts_and_never_responds_is_given_up_soon(project, monkeypatch):
    chosen = shrunk_values()
    chosen["data"]["dataset"] = "imdb"
    write_params(chosen, project)
    monkeypatch.setattr(runner, "PROBE_SECONDS", 0.3)
    with socket.create_server(("127.0.0.1", 0)) as hub:
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{hub.getsockname()[1]}")
        started = time.monotonic()
        with pytest.raises(UserError, match="the hub does not respond"):
            require_dataset()
        assert time.monotonic() - started < 3
    monkeypatch.setenv("IMDB_MIRROR", str(project))
    require_dataset()


def test_the_demos_parameters_are_valid_and_git_ignores_what_it_writes():
    yaml = YAML(typ="safe")
    chosen = Params.model_validate(merged(*(yaml.load(ROOT / name) for name in ("params.yaml", "demo.yaml"))))
    assert chosen.data.dataset == "synthetic"
    assert 4 <= len(chosen.architectures) <= 5
    assert chosen.registry.architecture in chosen.search.architectures
    assert succeed(ROOT, "git", "check-ignore", "demo/reports/evaluation.json")


@pytest.fixture
def makefile(tmp_path) -> Path:
    """The Makefile beside a `.venv` whose commands print their arguments and their environment."""
    for name in ("Makefile", "pyproject.toml", "constraints.txt"):
        shutil.copy(ROOT / name, tmp_path / name)
    binaries = tmp_path / ".venv/bin"
    binaries.mkdir(parents=True)
    for name in ("sentiment-rnn", "python", "pip"):
        program = f"#!{sys.executable}\nimport json, os, sys\nprint(json.dumps([sys.argv[1:], dict(os.environ)]))\n"
        (binaries / name).write_text(program)
        (binaries / name).chmod(0o755)
    (binaries / ".installed").write_text(f"{tmp_path}\n")
    return tmp_path


HOSTILE = """it's "so" $HOME $$ $(touch pwned) $(shell touch pwned) `touch pwned` ${PATH} ; touch pwned # \\ """


@pytest.mark.parametrize(
    ("target", "variables", "arguments"),
    [
        ("predict", ["TEXT"], ["predict", "--", HOSTILE]),
        ("explain", ["MODEL", "OUT", "TEXT"], ["explain", "--model", HOSTILE, "--out", HOSTILE, "--", HOSTILE]),
        ("promote", ["REASON", "VERSION"], ["promote", "--reason", HOSTILE, "--", HOSTILE]),
        ("rollback", ["REASON"], ["rollback", "--reason", HOSTILE]),
        ("rollback", [], ["rollback"]),
        ("serve", ["PORT"], ["serve", "--port", HOSTILE]),
        ("ui", ["PORT"], ["ui", "--port", HOSTILE]),
        ("search", ["TRIALS", "ARCH"], ["-m", "pipeline.search", "--trials", HOSTILE, "--", HOSTILE]),
    ],
)
def test_make_passes_a_variable_on_as_it_is(makefile, target, variables, arguments):
    given = [f"{name}={HOSTILE}" for name in variables]
    environment = {"MODEL": "ignored", "REASON": "ignored", "PORT": "ignored"}  # of the shell, not of this command
    done = run(makefile, "make", "--silent", target, *given, **environment)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1])[0] == arguments
    assert not (makefile / "pwned").exists()


def test_make_passes_the_variables_of_the_environment_on_as_they_are(makefile):
    name = "IMDB_MIRROR"
    for given, environment in (([f"{name}={HOSTILE}"], {}), ([], {name: HOSTILE})):
        output = succeed(makefile, "make", "--silent", "run", *given, **environment)
        assert json.loads(output)[1][name] == HOSTILE
    assert not (makefile / "pwned").exists()


def test_the_python_that_makes_the_environment_may_have_any_name(makefile):
    python = makefile / HOSTILE
    shutil.copy(makefile / ".venv/bin/python", python)
    for given, environment in (([f"PYTHON={python}"], {}), ([], {"PYTHON": str(python)})):
        (makefile / ".venv/bin/.installed").unlink()
        output = succeed(makefile, "make", "--silent", ".venv/bin/.installed", *given, **environment)
        assert '["-m", "venv", "--clear", ".venv"]' in output
    assert not (makefile / "pwned").exists()
    (makefile / ".venv/bin/.installed").unlink()
    python.write_text("#!/bin/sh\nexit 1\n")
    done = run(makefile, "make", ".venv/bin/.installed", f"PYTHON={python}")
    assert done.returncode
    assert "is not Python 3.11 or newer: name one, make PYTHON=python3.12" in done.stdout


@pytest.mark.parametrize("command", ["mv", "cp -r"])
def test_an_environment_that_was_moved_or_copied_is_made_again_once(makefile, tmp_path_factory, command):
    folder = tmp_path_factory.mktemp("elsewhere") / "project"
    succeed(makefile, *command.split(), str(makefile), str(folder))
    python = {"PYTHON": f"{folder}/.venv/bin/python"}
    made = ["-m", "venv", "--clear", ".venv"]
    for expected in ([made, ["run"]], [["run"]]):
        lines = succeed(folder, "make", "--silent", "run", **python).splitlines()
        arguments = [json.loads(line)[0] for line in lines if line.startswith("[")]
        assert [each for each in arguments if each[0] not in ("-c", "install")] == expected
    (folder / ".venv/bin/.installed").write_text("/elsewhere\n")
    page = (ROOT / "docs/troubleshooting.md").read_text()
    assert json.dumps(made) in run_cure(page, "make install", folder, **python)
    os.utime(folder / ".venv/bin/.installed", (0, 0))  # older than pyproject.toml
    assert '["-m", "venv", ".venv"]' in succeed(folder, "make", "--silent", "run", **python)


def test_no_recipe_contains_a_variable_that_make_expands():
    recipes = re.findall(r"^\t.*", (ROOT / "Makefile").read_text().split("\nhelp:")[1], re.MULTILINE)
    assert len(recipes) > 20
    assert set(re.findall(r"(?<!\$)\$[({]?(\w+)", "\n".join(recipes))) == {"firstword", "MAKEFILE_LIST"}


def test_make_alone_lists_every_target_with_a_text(makefile):
    text = (ROOT / "Makefile").read_text()
    targets = text.replace("\\\n", " ").split(".PHONY: ")[1].splitlines()[0].split()
    listed = [line.split(maxsplit=1) for line in succeed(makefile, "make", "--silent").splitlines()]
    assert sorted(name for name, _ in listed) == sorted(targets)
    assert all(len(text) > 10 for _, text in listed)
