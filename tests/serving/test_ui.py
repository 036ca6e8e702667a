"""`sentiment-rnn ui`: MLflow's real server, its links, and its end."""

import os
import signal
import subprocess
import sys
from contextlib import suppress
from urllib.error import URLError
from urllib.request import urlopen

import psutil
import pytest
from conftest import NAME, running_in
from playwright.sync_api import expect

from docs import screenshots
from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.sockets import bind_socket
from sentiment_rnn.serving.ui import mlflow_server, show_ui
from sentiment_rnn.tracking.store import connect, experiment

expect.set_options(timeout=screenshots.TIMEOUT)


@pytest.fixture(scope="module")
def served(champion):
    """The running command, and what it has printed; the environment has the store's relative URI."""
    with running_in(champion):
        experiment(connect(), "synthetic-search")
        command = [sys.executable, "-m", "sentiment_rnn.cli", "ui", "--port", "0"]
        relative = os.environ | {"MLFLOW_TRACKING_URI": "sqlite:///mlruns/mlflow.db?timeout=60"}
        process = subprocess.Popen(
            command, stdout=subprocess.PIPE, text=True, env=relative,
            # a test run in the background ignores Ctrl-C, and so would the processes that it starts
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
        )  # fmt: skip
        lines = [process.stdout.readline().rstrip()]
        while lines[-1] and lines[-1] != "Ctrl-C stops it":
            lines.append(process.stdout.readline().rstrip())
        yield process, lines
        process.kill()


def links(lines: list[str]) -> dict[str, str]:
    return dict(line.split("  ", 1) for line in lines if "/#/" in line)


def test_it_prints_links_to_the_runs_and_to_the_model(served):
    _, lines = served
    address = lines[0].split()[3]
    assert address.startswith("http://127.0.0.1:")
    trainings, searches = (
        connect().get_experiment_by_name(name).experiment_id for name in ("synthetic", "synthetic-search")
    )
    assert {label: link.strip() for label, link in links(lines).items()} == {
        "trainings (synthetic)": f"{address}/#/experiments/{trainings}/runs?viewStateShareKey=architectures",
        "searches (synthetic-search)": f"{address}/#/experiments/{searches}/runs?viewStateShareKey=trials",
        f"registered model ({NAME})": f"{address}/#/models/{NAME}",
    }
    with urlopen(address) as response:
        assert b"MLflow" in response.read()


def test_only_this_machine_can_connect(served):
    processes = psutil.Process(served[0].pid).children(recursive=True)
    listening = set()
    for process in processes:
        with suppress(psutil.NoSuchProcess):  # a short one of MLflow's
            listening |= {one.laddr.ip for one in process.net_connections() if one.status == "LISTEN"}
    assert listening == {"127.0.0.1"}


@pytest.mark.skipif(screenshots.chromium() is None, reason="no chromium here: apt-get install chromium")
def test_the_links_open_the_projects_pages_at_a_first_visit(served):
    _, lines = served
    with screenshots.opened(lines[0].split()[3], visited={}) as page:
        trainings, _, model = (link.strip() for link in links(lines).values())
        page.goto(trainings)
        expect(page.get_by_role("button", name="architectures")).to_be_visible()
        page.goto(model)
        expect(page.get_by_role("status", name="champion")).to_be_visible()


def test_of_a_server_that_runs_already_the_links_are_printed(served, monkeypatch, capsys):
    address = served[1][0].split()[3]
    monkeypatch.setenv("MLFLOW_TRACKING_URI", address)
    show_ui("synthetic", NAME, 0)
    assert capsys.readouterr().out.splitlines() == served[1][1:-1]
    show_ui("imdb", "imdb-bilstm", 0)
    assert (
        capsys.readouterr().out
        == f"no runs on the data set imdb yet (`sentiment-rnn run evaluate` makes some): {address}\n"
    )


def test_a_port_in_use_is_an_error(served):
    with bind_socket(0) as listening, pytest.raises(UserError, match=r"^port \d+ of 127.0.0.1 is not available"):
        show_ui("synthetic", NAME, listening.getsockname()[1])


def test_a_server_that_does_not_start_is_an_error_with_its_reason():
    with bind_socket(0) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(UserError, match=r"^MLflow's server does not start on .*: .+"), mlflow_server("nosuch://", port):
        pass


def test_ctrl_c_stops_it_and_all_its_processes(served):
    process, lines = served
    children = psutil.Process(process.pid).children(recursive=True)
    assert children
    process.send_signal(signal.SIGINT)
    assert process.wait(timeout=20) == 0
    assert not psutil.wait_procs(children, timeout=5)[1]
    with pytest.raises(URLError):
        urlopen(lines[0].split()[3])
