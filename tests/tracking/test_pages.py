"""MLflow's pages in a real browser, over the store that a real `dvc repro` filled: what a person sees there."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient
from PIL import Image
from playwright.sync_api import Locator, Page, expect
from project import ARCHITECTURES, BASELINES, succeed

from docs import screenshots

pytestmark = pytest.mark.skipif(screenshots.chromium() is None, reason="no chromium here: apt-get install chromium")
expect.set_options(timeout=screenshots.PATIENCE)


@pytest.fixture(scope="module")
def client(reproduced: Path) -> MlflowClient:
    store = f"sqlite:///{reproduced}/mlruns/mlflow.db"
    return MlflowClient(store, store)


@pytest.fixture(scope="module")
def address(reproduced: Path) -> Iterator[str]:
    with screenshots.served(f"sqlite:///{reproduced}/mlruns/mlflow.db") as address:
        yield address


@pytest.fixture(scope="module")
def page(address: str) -> Iterator[Page]:
    with screenshots.opened(address) as page:
        yield page


def experiment(client: MlflowClient, name: str) -> str:
    return client.get_experiment_by_name(name).experiment_id


def run_ids(client: MlflowClient) -> dict[str, str]:
    """The ids of the architectures' and the baselines' runs, by name."""
    found = client.search_runs([experiment(client, "sample")])
    return {run.info.run_name: run.info.run_id for run in found if run.info.run_name in {*ARCHITECTURES, *BASELINES}}


def colours(drawn: Locator) -> int:
    """How many colours a part of the page has: a chart that failed to draw has a handful."""
    image = Image.open(io.BytesIO(drawn.screenshot())).convert("RGB")
    return len(image.getcolors(image.width * image.height))


def test_the_view_of_the_experiment_lists_every_run_the_best_first(page, address, client):
    page.goto(screenshots.runs_page(address, experiment(client, "sample"), "architectures"))
    expect(page.get_by_text("Every training of an architecture")).to_be_visible()
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


def test_the_charts_of_the_view_are_drawn(page, address, client):
    page.goto(screenshots.runs_page(address, experiment(client, "sample"), "architectures", charts=True))
    page.wait_for_selector("path.js-line")
    first = page.locator(".js-plotly-plot").first
    expect(first.locator(".bars .point")).to_have_count(len(run_ids(client)))
    assert colours(first) > 50


def test_runs_are_compared(page, address, client):
    ids = run_ids(client)
    page.goto(screenshots.compare_page(address, experiment(client, "sample"), [ids[name] for name in ARCHITECTURES]))
    expect(page.get_by_text(f"Comparing {len(ARCHITECTURES)} Runs")).to_be_visible()
    page.wait_for_selector(".js-plotly-plot .parcoords .y-axis")
    screenshots.choose_axes(page)
    expect(page.locator(".js-plotly-plot .parcoords .y-axis")).to_have_count(5)
    assert colours(page.locator(".js-plotly-plot").first) > 50
    expect(page.get_by_text("hidden_size", exact=True).first).to_be_visible()


def test_trials_are_compared(page, address, client):
    page.goto(screenshots.runs_page(address, experiment(client, "sample-search"), "trials", charts=True))
    for name in ("rnn trial 0", "bilstm trial 1"):
        expect(page.get_by_role("link", name=name, exact=True)).to_be_visible()
    assert not page.get_by_role("link", name="bilstm search", exact=True).count(), "a study is no trial"
    page.wait_for_selector(".js-plotly-plot .scatterlayer .point")
    assert colours(page.locator(".js-plotly-plot").first) > 50


def test_a_runs_page_says_what_it_is_and_how_to_have_it_again(page, address, client, reproduced):
    commit = succeed(reproduced, "git", "rev-parse", "HEAD").strip()[:12]
    page.goto(f"{address}/#/experiments/{experiment(client, 'sample')}/runs/{run_ids(client)['bilstm']}")
    said = "on the generated sample corpus, NOT IMDB: lstm in both directions, 1 layer of 6 units, max pooling."
    expect(page.get_by_text(said)).to_be_visible()
    expect(page.get_by_text(f"git checkout {commit} && dvc repro train@bilstm")).to_be_visible()
    expect(page.get_by_text("final_test_accuracy")).to_be_attached()
    expect(page.get_by_text("sample (", exact=False).first).to_be_visible()
    page.goto(f"{page.url}/artifacts/learning_curves.png")
    picture = page.locator("img[src^='blob:'], img[src*='learning_curves']").first
    picture.wait_for()
    assert colours(picture) > 50


def test_the_champions_page_shows_what_it_is_and_its_figures(page, address, client):
    champion = client.get_model_version_by_alias("imdb-bilstm", "champion")
    page.goto(f"{address}/#/models/imdb-bilstm/versions/{champion.version}")
    expect(page.get_by_role("status", name="champion")).to_be_visible()
    expect(page.get_by_text("NOT IMDB").first).to_be_visible()
    expect(page.get_by_text("calibration error")).to_be_visible()
    expect(page.get_by_role("cell", name=f"{float(champion.tags['test.accuracy']):.4f}").first).to_be_visible()
    page.goto(f"{address}/#/models/imdb-bilstm")
    expect(page.get_by_text("Sentiment of a film review")).to_be_visible()
    expect(page.get_by_role("status", name="champion")).to_be_visible()
    expect(page.get_by_text("sentiment of film reviews")).to_be_visible()
