"""Signals, and a machine without git or without a name for the user."""

import os
import shutil
import signal
import sys
import time
import types
from pathlib import Path

import pytest
from cures import run_cure
from project import create, run, values

from sentiment_rnn.execution.environment import COLLECT_AFTER, interruptible


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_interrupts_but_not_a_transaction_of_a_store(number):
    before = signal.getsignal(number)
    store = types.ModuleType("mlflow.store")
    exec(
        "def transaction(number, ended):\n os.kill(os.getpid(), number)\n time.sleep(0.2)\n ended.append(number)",
        store.__dict__ | {"os": os, "time": time},
        scope := {},
    )
    ended: list[int] = []
    start = time.monotonic()

    def interrupted() -> None:
        with interruptible():
            scope["transaction"](number, ended)
            time.sleep(10)

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert ended, "the transaction"
    assert time.monotonic() - start < 5
    assert signal.getsignal(number) is before


@pytest.fixture
def new(tmp_path: Path) -> Path:
    """A project on the synthetic corpus in which nothing has been run."""
    create(tmp_path, values())
    return tmp_path


def test_a_user_id_without_a_name_runs_stages(new):
    """As in a container under `docker run --user 12345`."""
    (new / "site").mkdir()
    (new / "site/sitecustomize.py").write_text(
        "import pwd\ndef unknown(uid): raise KeyError(f'uid not found: {uid}')\npwd.getpwuid = unknown\n"
    )
    nameless = dict.fromkeys(("LOGNAME", "USER", "LNAME", "USERNAME"), "")
    nameless |= {"HOME": "/", "PYTHONPATH": f"{new / 'site'}{os.pathsep}{new / 'src'}"}
    shown = run(new, sys.executable, "-c", "import getpass; getpass.getuser()", **nameless)
    assert "uid not found" in shown.stderr, "the machine is as the test wants it"
    done = run(new, "sentiment-rnn", "run", "baseline@tfidf_logistic", **nameless)
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_machine_without_git_runs_stages(new):
    programs = new / "programs"
    programs.mkdir()
    for name in ("python", "dvc", "sentiment-rnn"):
        (programs / name).write_text(f'#!/bin/sh\nexec {Path(sys.executable).parent / name} "$@"\n')
        (programs / name).chmod(0o755)
    assert shutil.which("git", path=str(programs)) is None
    done = run(new, str(programs / "sentiment-rnn"), "run", "baseline@tfidf_logistic", PATH=str(programs))
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("cure", ["git init", "dvc config core.no_scm true"])
def test_a_folder_without_git_is_refused_with_a_cure_that_works(new, cure):
    """As unpacked from a ZIP file."""
    shutil.rmtree(new / ".git")
    done = run(new, "sentiment-rnn", "run", "download")
    assert done.returncode == 1
    assert done.stderr.startswith("error: this folder is in no git repository")
    assert done.stderr.count("\n") == 1
    run_cure(done.stderr, cure, new)
    done = run(new, "sentiment-rnn", "run", "download")
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("module", ["sentiment_rnn.cli", "pipeline"])
def test_a_command_looks_for_garbage_rarely_and_not_at_its_exit(module):
    code = (
        "import atexit, gc; atexit.register(lambda: print(gc.get_freeze_count() > 1000));"
        f"import {module}; print(gc.get_threshold()[0])"
    )
    done = run(Path(), sys.executable, "-c", code)
    assert done.stdout.split() == [str(COLLECT_AFTER), "True"], done.stderr
