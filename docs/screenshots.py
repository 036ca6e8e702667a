"""Pictures of MLflow's pages, for docs/mlflow.md: `make screenshots`, where a pipeline has run on IMDB."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

from mlflow import MlflowClient
from playwright.sync_api import Page, sync_playwright

from sentiment_rnn import params
from sentiment_rnn.tracking.registry import champion
from sentiment_rnn.tracking.store import connect, tracking_uri

IMAGES = Path("docs/images")
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# what a person has clicked away after the first visit: the assistant's panel, and MLflow's GenAI pages
VISITED = {"mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true", "mlflow.workflowType_v1": '"machine_learning"'}
PATIENCE = 60_000  # milliseconds


def chromium() -> str | None:
    """The browser's path, where there is one."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def served(uri: str) -> Iterator[str]:
    """MLflow's pages over a store, on a free port of this machine: their address."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = ["mlflow", "ui", "--backend-store-uri", uri, "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    server = subprocess.Popen(
        [sys.executable, "-m", *command],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        deadline = time.monotonic() + 120
        while True:
            try:
                urlopen(f"http://127.0.0.1:{port}/health").close()
                break
            except URLError:
                if server.poll() is not None or time.monotonic() > deadline:
                    raise RuntimeError(f"`{' '.join(command)}` does not answer") from None
                time.sleep(0.2)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@contextmanager
def opened(address: str) -> Iterator[Page]:
    """A page of a real browser that talks to `address` and to nobody else."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1050})
        page.set_default_timeout(PATIENCE)
        visited = "".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(VISITED[key])});" for key in VISITED)
        page.add_init_script(visited)
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        yield page
        browser.close()


def runs_page(address: str, experiment: str, view: str, *, charts: bool = False) -> str:
    """The page of an experiment's runs as the project's own view shows it."""
    mode = "&compareRunsMode=CHART" if charts else ""
    return f"{address}/#/experiments/{experiment}/runs?viewStateShareKey={view}{mode}"


def compare_page(address: str, experiment: str, run_ids: list[str]) -> str:
    """The page that *Compare* opens for selected runs."""
    return f"{address}/#/compare-runs?runs={json.dumps(run_ids)}&experiments={json.dumps([experiment])}"


def main() -> None:
    if not chromium():
        sys.exit("error: there is no chromium: apt-get install chromium")
    client = connect()
    name = params.load().registry.name
    best = champion(client, name)
    trainings, searches = (client.get_experiment_by_name(f"imdb{kind}") for kind in ("", "-search"))
    if not (best and trainings and searches):
        sys.exit("error: no pipeline has run on IMDB here: IMDB_MIRROR=... make run")
    first = trainings.experiment_id
    run_ids = {run.info.run_name: run.info.run_id for run in runs_by_accuracy(client, first)}
    with served(tracking_uri()) as address:
        run = f"{address}/#/experiments/{first}/runs/{run_ids['bilstm']}"
        compared = [run_ids[kind] for kind in ("rnn", "lstm", "gru", "bilstm", "bigru", "attention_bilstm")]
        shoot(runs_page(address, first, "architectures"), "architectures", "text=final_test_accuracy")
        shoot(runs_page(address, first, "architectures", charts=True), "charts", "path.js-line")
        shoot(runs_page(address, searches.experiment_id, "trials", charts=True), "trials", "path.js-line")
        shoot(compare_page(address, first, compared), "compare", ".js-plotly-plot", act=choose_axes)
        shoot(run, "run", "text=To have it again")
        shoot(f"{run}/model-metrics", "curves", ".js-plotly-plot", act=search_loss)
        shoot(f"{address}/#/models/{name}/versions/{best.version}", "version", "text=champion")


def runs_by_accuracy(client: MlflowClient, experiment: str) -> list:
    """The finished runs, the best on test last."""
    return client.search_runs([experiment], "attributes.status = 'FINISHED'", order_by=["metrics.final_test_accuracy"])


def shoot(page_address: str, name: str, awaited: str, *, act: Callable[[Page], None] | None = None) -> None:
    """Write one picture, once `awaited` is to be seen, what `act` does is done, and nothing moves any more."""
    with opened(page_address.split("/#/")[0]) as page:
        page.goto(page_address)
        page.wait_for_selector(awaited)
        page.add_style_tag(content="[data-assistant-ui] { display: none !important }")
        if (banner := page.get_by_text("You're viewing a shared view")).count():
            banner.locator("xpath=ancestor::*[.//button][1]").get_by_role("button").last.click()
        if act:
            act(page)
        page.wait_for_timeout(3000)  # the charts' own animation
        page.screenshot(path=IMAGES / f"mlflow-{name}.png")
        print(f"docs/images/mlflow-{name}.png", flush=True)


def search_loss(page: Page) -> None:
    """On a run's page of charts, leave those of the loss."""
    page.get_by_placeholder("Search metric charts").fill("loss")


def choose_axes(page: Page) -> None:
    """On the page of *Compare*, what tells architectures apart; MLflow takes the alphabet's first."""
    page.get_by_text("Clear All").click()
    chosen = (["cell", "bidirectional"], ["best_validation_loss", "final_test_accuracy", "train_seconds"])
    for box, names in zip(page.get_by_role("combobox").all(), chosen, strict=True):
        for name in names:
            box.click()
            page.keyboard.type(name)
            page.keyboard.press("Enter")
            page.keyboard.press("Escape")


if __name__ == "__main__":
    main()
