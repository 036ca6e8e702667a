"""MLflow's pages in a real browser, on the store of a real `dvc repro`."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from conftest import NAME
from mlflow import MlflowClient
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from project import ARCHITECTURES, BASELINES, succeed

from docs import screenshots
from sentiment_rnn.serving.ui import mlflow_server, runs_page

pytestmark = pytest.mark.skipif(screenshots.chromium() is None, reason="no chromium here: apt-get install chromium")
expect.set_options(timeout=screenshots.TIMEOUT)


@pytest.fixture(scope="module")
def client(reproduced: Path) -> MlflowClient:
    store = f"sqlite:///{reproduced}/mlruns/mlflow.db"
    return MlflowClient(store, store)


@pytest.fixture(scope="module")
def address(reproduced: Path) -> Iterator[str]:
    store = f"sqlite:///{reproduced}/mlruns/mlflow.db"
    with mlflow_server(store, screenshots.free_port()) as (_, address):
        yield address


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with screenshots.opened(address) as page:
        yield page


def experiment(client: MlflowClient, name: str) -> str:
    return client.get_experiment_by_name(name).experiment_id


def run_ids(client: MlflowClient) -> dict[str, str]:
    """The ids of the architectures' and the baselines' runs, by name."""
    found = client.search_runs([experiment(client, "synthetic")])
    return {run.info.run_name: run.info.run_id for run in found if run.info.run_name in {*ARCHITECTURES, *BASELINES}}


def count_colors(part: Locator) -> int:
    """The number of colors of a part of the page: a few, if its chart is empty."""
    image = Image.open(io.BytesIO(part.screenshot())).convert("RGB")
    return len(image.getcolors(image.width * image.height))


def test_the_view_lists_every_run_by_descending_accuracy(page, address, client):
    page.goto(runs_page(address, experiment(client, "synthetic"), "architectures"))
    expect(page.get_by_text("Trainings of architectures")).to_be_visible()
    expect(page.get_by_text("NOT IMDB").first).to_be_visible()
    accuracy = {}
    for name, run_id in run_ids(client).items():
        link = page.get_by_role("link", name=name, exact=True)
        expect(link).to_be_visible()
        accuracy[link.bounding_box()["y"]] = client.get_run(run_id).data.metrics["final_test_accuracy"]
    from_the_top = [accuracy[y] for y in sorted(accuracy)]
    assert from_the_top == sorted(from_the_top, reverse=True)
    for column in ("final_test_accuracy", "best_validation_loss", "train_seconds"):
        expect(page.get_by_role("columnheader", name=column).first).to_be_visible()
    expect(page.get_by_text("architectures", exact=True).first).to_be_visible()


def test_the_view_has_charts(page, address, client):
    page.goto(runs_page(address, experiment(client, "synthetic"), "architectures", charts=True))
    page.wait_for_selector("path.js-line")
    first = page.locator(".js-plotly-plot").first
    expect(first.locator(".bars .point")).to_have_count(len(run_ids(client)))
    assert count_colors(first) > 50


def test_runs_are_compared(page, address, client):
    ids = run_ids(client)
    page.goto(screenshots.compare_page(address, experiment(client, "synthetic"), [ids[name] for name in ARCHITECTURES]))
    expect(page.get_by_text(f"Comparing {len(ARCHITECTURES)} Runs")).to_be_visible()
    page.wait_for_selector(".js-plotly-plot .parcoords .y-axis")
    screenshots.choose_axes(page)
    expect(page.locator(".js-plotly-plot .parcoords .y-axis")).to_have_count(5)
    assert count_colors(page.locator(".js-plotly-plot").first) > 50
    expect(page.get_by_text("hidden_size", exact=True).first).to_be_visible()


def test_trials_are_compared(page, address, client):
    page.goto(runs_page(address, experiment(client, "synthetic-search"), "trials", charts=True))
    for name in ("bilstm trial 0", "bilstm trial 1"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert not page.get_by_role("link", name="bilstm search", exact=True).count(), "a study is not a trial"
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    assert count_colors(page.locator(".js-plotly-plot").first) > 50


def test_a_runs_page_has_its_description_and_the_command_that_reproduces_it(page, address, client, reproduced):
    commit = succeed(reproduced, "git", "rev-parse", "HEAD").strip()[:12]
    page.goto(f"{address}/#/experiments/{experiment(client, 'synthetic')}/runs/{run_ids(client)['bilstm']}")
    description = "on synthetic reviews (NOT IMDB): bidirectional lstm, 1 layer of 6 units, max pooling."
    expect(page.get_by_text(description)).to_be_visible()
    expect(page.get_by_text(f"git checkout {commit} && dvc repro train@bilstm")).to_be_visible()
    expect(page.get_by_text("final_test_accuracy")).to_be_attached()
    expect(page.get_by_text("synthetic (", exact=False).first).to_be_visible()
    page.goto(f"{page.url}/artifacts/learning_curves.png")
    image = page.locator("img[src^='blob:'], img[src*='learning_curves']").first
    image.wait_for()
    assert count_colors(image) > 50


def test_the_champions_page_has_its_description_and_metrics(page, address, client):
    champion = client.get_model_version_by_alias(NAME, "champion")
    page.goto(f"{address}/#/models/{NAME}/versions/{champion.version}")
    expect(page.get_by_role("status", name="champion")).to_be_visible()
    expect(page.get_by_text("NOT IMDB").first).to_be_visible()
    expect(page.get_by_text("calibration error")).to_be_visible()
    expect(page.get_by_text("for decisions about the people")).to_be_visible()
    expect(page.get_by_role("cell", name="groups of people")).to_be_attached()
    expect(page.get_by_role("cell", name=f"{float(champion.tags['test.accuracy']):.4f}").first).to_be_visible()
    page.goto(f"{address}/#/models/{NAME}")
    expect(page.get_by_text("Two-class text classification: raw text in")).to_be_visible()
    expect(page.get_by_role("status", name="champion")).to_be_visible()
    expect(page.get_by_text("two-class text classification", exact=True)).to_be_visible()
