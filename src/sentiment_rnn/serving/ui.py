"""MLflow's UI, with links to the project's pages: its home page shows neither the runs nor the registered model."""

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from urllib.error import URLError
from urllib.request import urlopen

from mlflow import MlflowClient

from sentiment_rnn.errors import UserError
from sentiment_rnn.serving.sockets import HOST, bind_socket
from sentiment_rnn.tracking.registry import champion
from sentiment_rnn.tracking.store import connect_to_existing, tracking_uri
from sentiment_rnn.tracking.uri import redact

START_TIMEOUT = 120  # seconds
STOP_TIMEOUT = 2


def show_ui(dataset: str, registered_name: str, port: int) -> None:
    """Serve MLflow's UI on 127.0.0.1 until Ctrl-C, and print links to the pages of a data set.

    If MLFLOW_TRACKING_URI is a server, the links on it are printed and nothing is started.

    Raises:
        UserError: there is no store, the port is in use, or MLflow does not start.
    """
    client, uri = connect_to_existing(), tracking_uri()
    if uri.startswith(("http://", "https://")):
        _print_links(client, uri.rstrip("/"), dataset, registered_name)
        return
    with bind_socket(port) as listening:  # a free port if it is 0
        port = listening.getsockname()[1]
    print(f"starting MLflow on http://{HOST}:{port} ...", flush=True)
    signal.signal(signal.SIGTERM, _interrupt)
    with suppress(KeyboardInterrupt), mlflow_server(uri, port) as (server, address):
        _print_links(client, address, dataset, registered_name)
        print("Ctrl-C stops it", flush=True)
        if status := server.wait():
            raise UserError(f"MLflow's server stopped with status {status}: start it again")


@contextmanager
def mlflow_server(uri: str, port: int) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    """Run MLflow's server on a store for the duration of the block; yield its process and its address when it responds.

    Raises:
        UserError: it does not start.
    """
    options = ["--backend-store-uri", uri, "--host", HOST, "--port", str(port), "--workers", "1"]
    address = f"http://{HOST}:{port}"
    with tempfile.TemporaryFile("w+", errors="replace") as log:
        server = subprocess.Popen(
            [sys.executable, "-m", "mlflow", "ui", *options],
            stdout=subprocess.DEVNULL,
            stderr=log,
            start_new_session=True,  # a group of its own, which is stopped as a whole
        )
        try:
            deadline = time.monotonic() + START_TIMEOUT
            while not _responds(address):
                if server.poll() is not None or time.monotonic() > deadline:
                    log.seek(0)
                    *_, last = ["it printed nothing", *filter(None, map(str.strip, log))]
                    raise UserError(f"MLflow's server does not start on {address}: {redact(last)}")
                time.sleep(0.2)
            yield server, address
        finally:
            with suppress(ProcessLookupError):
                os.killpg(server.pid, signal.SIGTERM)
                with suppress(subprocess.TimeoutExpired):
                    server.wait(STOP_TIMEOUT)
                os.killpg(server.pid, signal.SIGKILL)
            server.wait()


def runs_page(address: str, experiment_id: str, view: str, *, charts: bool = False) -> str:
    """The address of an experiment's runs, as a table or as charts, in a view of `tracking.views`."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"{address}/#/experiments/{experiment_id}/runs?viewStateShareKey={view}{mode}"


def _print_links(client: MlflowClient, address: str, dataset: str, registered_name: str) -> None:
    """Print the address of every page that exists: the trainings, the searches, the registered model."""
    links = {}
    for label, name, view in (("trainings", dataset, "architectures"), ("searches", f"{dataset}-search", "trials")):
        if experiment := client.get_experiment_by_name(name):
            links[f"{label} ({name})"] = runs_page(address, experiment.experiment_id, view)
    if champion(client, registered_name):
        links[f"registered model ({registered_name})"] = f"{address}/#/models/{registered_name}"
    if not links:
        print(f"no runs on the data set {dataset} yet (`sentiment-rnn run evaluate` makes some): {address}", flush=True)
    width = max(map(len, links), default=0)
    for label, link in links.items():
        print(f"{label:{width}}  {link}", flush=True)


def _responds(address: str) -> bool:
    try:
        urlopen(f"{address}/health", timeout=5).close()
    except (URLError, OSError):
        return False
    return True


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt
