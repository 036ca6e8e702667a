"""Screenshots of MLflow's pages and of the page of `make serve`: `make screenshots`, after the pipeline on IMDB."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlflow import MlflowClient
from playwright.sync_api import Page, sync_playwright

from sentiment_rnn import params
from sentiment_rnn.serving.sockets import bind_socket
from sentiment_rnn.serving.ui import mlflow_server, runs_page
from sentiment_rnn.tracking.registry import champion
from sentiment_rnn.tracking.store import connect, tracking_uri

IMAGES = Path(__file__).parent / "images"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
# the state of a browser after the first visit, with the assistant and the GenAI pages closed
VISITED = {"mlflow.assistant.fab.autoOpenedOnFirstLoad_v1": "true", "mlflow.workflowType_v1": '"machine_learning"'}
TIMEOUT = 60_000  # milliseconds
REVIEW = (
    "I expected nothing from yet another sequel. The first half hour is slow and the jokes are old, but then it "
    "becomes a warm, funny film with wonderful actors. I loved it."
)


def chromium() -> str | None:
    """The path of a browser, if one is installed."""
    return next((path for name in BROWSERS if (path := shutil.which(name))), None)


@contextmanager
def opened(address: str, visited: dict[str, str] = VISITED) -> Iterator[Page]:
    """A page of a real browser that connects to `address` only; `visited` is its local storage."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1400, "height": 1050})
        page.set_default_timeout(TIMEOUT)
        page.add_init_script(
            "".join(f"localStorage.setItem({json.dumps(key)}, {json.dumps(visited[key])});" for key in visited)
        )
        page.route("**/*", lambda route: route.continue_() if route.request.url.startswith(address) else route.abort())
        yield page
        browser.close()


def compare_page(address: str, experiment: str, run_ids: list[str]) -> str:
    """The address that *Compare* opens for selected runs."""
    return f"{address}/#/compare-runs?runs={json.dumps(run_ids)}&experiments={json.dumps([experiment])}"


def main() -> None:
    if not chromium():
        sys.exit("error: no chromium is installed: apt-get install chromium")
    client = connect()
    loaded = params.load()
    dataset, name = loaded.data.dataset, loaded.registered_name
    best = champion(client, name)
    trainings, searches = (client.get_experiment_by_name(f"{dataset}{kind}") for kind in ("", "-search"))
    if not (best and trainings and searches):
        sys.exit(f"error: no runs on the data set {dataset}: make run")
    first = trainings.experiment_id
    run_ids = {run.info.run_name: run.info.run_id for run in runs_by_accuracy(client, first)}
    with mlflow_server(tracking_uri(), free_port()) as (_, address):
        run = f"{address}/#/experiments/{first}/runs/{run_ids['bilstm']}"
        compared = [
            run_ids[architecture] for architecture in ("rnn", "lstm", "gru", "bilstm", "bigru", "attention_bilstm")
        ]
        shoot(runs_page(address, first, "architectures"), "architectures", "text=final_test_accuracy")
        shoot(runs_page(address, first, "architectures", charts=True), "charts", "path.js-line")
        shoot(runs_page(address, searches.experiment_id, "trials", charts=True), "trials", "path.js-line")
        shoot(compare_page(address, first, compared), "compare", ".js-plotly-plot", act=choose_axes)
        shoot(run, "run", "text=To reproduce it")
        shoot(f"{run}/model-metrics", "curves", ".js-plotly-plot", act=search_loss)
        shoot(f"{address}/#/models/{name}/versions/{best.version}", "version", "text=champion")
    shoot_serve()


def free_port() -> int:
    """A port that nothing listens on."""
    with bind_socket(0) as listening:
        return int(listening.getsockname()[1])


def runs_by_accuracy(client: MlflowClient, experiment: str) -> list:
    """The finished runs, by ascending accuracy on test."""
    return client.search_runs([experiment], "attributes.status = 'FINISHED'", order_by=["metrics.final_test_accuracy"])


def shoot(page_address: str, name: str, selector: str, *, act: Callable[[Page], None] | None = None) -> None:
    """Write one screenshot after `selector` is visible, `act` is done and the animations have ended."""
    with opened(page_address.split("/#/")[0]) as page:
        page.goto(page_address)
        page.wait_for_selector(selector)
        page.add_style_tag(content="[data-assistant-ui] { display: none !important }")
        if (banner := page.get_by_text("You're viewing a shared view")).count():
            banner.locator("xpath=ancestor::*[.//button][1]").get_by_role("button").last.click()
        if act:
            act(page)
        page.wait_for_timeout(3000)  # the animation of the charts
        page.screenshot(path=IMAGES / f"mlflow-{name}.png")
        print(f"docs/images/mlflow-{name}.png", flush=True)


def shoot_serve() -> None:
    """Write the screenshot of the page of `sentiment-rnn serve` with a review in its box."""
    command = [sys.executable, "-m", "sentiment_rnn.cli", "serve", "--port", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split(" on ")[1].split()[0]
        with opened(address, visited={}) as page:
            page.set_viewport_size({"width": 800, "height": 600})
            page.goto(address)
            page.get_by_label("Type a text").fill(REVIEW)
            page.wait_for_selector("#words mark")
            page.screenshot(path=IMAGES / "serve.png", full_page=True)
        server.terminate()
    print("docs/images/serve.png", flush=True)


def search_loss(page: Page) -> None:
    """On a run's page of charts, select those of the loss."""
    page.get_by_placeholder("Search metric charts").fill("loss")


def choose_axes(page: Page) -> None:
    """On the page of *Compare*, select the parameters and metrics in which architectures differ."""
    page.get_by_text("Clear All").click()
    selected = (["cell", "bidirectional"], ["best_validation_loss", "final_test_accuracy", "train_seconds"])
    for box, names in zip(page.get_by_role("combobox").all(), selected, strict=True):
        for name in names:
            box.click()
            page.keyboard.type(name)
            page.keyboard.press("Enter")
            page.keyboard.press("Escape")


if __name__ == "__main__":
    main()
