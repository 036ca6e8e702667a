"""The page to type into, in a real browser."""

import re
from collections.abc import Iterator

import pytest
from mlflow.entities.model_registry import ModelVersion, ModelVersionTag
from playwright.sync_api import Page, expect
from serving_http import Server, serving

from docs import screenshots
from sentiment_rnn.serving.page import render

REVIEW = "A great film, but I hated every minute of it."
TAGS = {"test.n": "25000", "test.accuracy": "0.932120", "test.accuracy_interval": "0.928935 to 0.935171"}

browser = pytest.mark.skipif(screenshots.chromium() is None, reason="no chromium here: apt-get install chromium")
expect.set_options(timeout=screenshots.TIMEOUT)


def version(description: str = "", **tags: str) -> ModelVersion:
    return ModelVersion(
        name="imdb-bilstm",
        version="7",
        creation_timestamp=1_763_726_364_000,
        description=description,
        aliases=["champion"],
        tags=[ModelVersionTag(key, value) for key, value in tags.items()],
    )


def facts(html: str) -> dict[str, str]:
    return dict(re.findall("<dt>(.*?)</dt><dd>(.*?)</dd>", html))


def test_it_has_the_version_and_how_it_was_tested():
    assert facts(render(version("best, trained on IMDB.\n\n| | test |", **TAGS)).html) == {
        "model": "imdb-bilstm, version 7 (champion)",
        "made from": "best, trained on IMDB.",
        "registered": "21 November 2025",
        "accuracy on test": "93.21% of 25,000 reviews (95% interval 92.89 to 93.52)",
    }


def test_a_version_that_was_not_evaluated_is_called_that():
    assert facts(render(version()).html)["accuracy on test"] == "not evaluated"
    assert facts(render(version(**{"test.accuracy": "0.93"})).html)["accuracy on test"] == "93.00%"


def test_texts_of_the_registry_are_escaped():
    assert "<b>" not in render(version("<b>bold</b>")).html


@pytest.fixture(scope="module")
def server(champion, tmp_path_factory):
    with serving(champion, tmp_path_factory.mktemp("log") / "stderr") as server:
        yield server


@pytest.fixture(scope="module")
def browser_page(server: Server) -> Iterator[Page]:
    with screenshots.opened(f"http://127.0.0.1:{server.port}/", visited={}) as page:
        yield page


@pytest.fixture
def page(browser_page: Page, server: Server) -> Iterator[Page]:
    """The page, empty; the browser sends no request to another server."""
    addresses: list[str] = []
    browser_page.on("request", lambda request: addresses.append(request.url))
    browser_page.goto(f"http://127.0.0.1:{server.port}/")
    yield browser_page
    assert {address.split("/")[2] for address in addresses} == {f"127.0.0.1:{server.port}"}


@pytest.fixture
def messages(page: Page) -> list[str]:
    """What the browser writes to its console."""
    written: list[str] = []
    page.on("console", lambda message: written.append(message.text))
    page.on("pageerror", lambda error: written.append(str(error)))
    return written


def typed(page: Page, text: str) -> None:
    """Type with the keyboard only: the box has the focus when the page opens."""
    expect(page.get_by_label("Type a text")).to_be_focused()
    page.keyboard.type(text)


def explained(page: Page) -> None:
    expect(page.locator("#words")).to_have_attribute("aria-busy", "false")


@browser
def test_it_answers_while_one_types_and_shades_the_words(page, messages):
    typed(page, REVIEW)
    expect(page.get_by_role("status")).to_contain_text(
        re.compile(r"^(positive|negative) with a probability of \d\d\.\d%$")
    )
    expect(page.locator("#words mark").first).to_be_visible()
    assert page.locator("#words").inner_text().split() == REVIEW.split()
    rows = page.locator("#strongest tbody tr")
    assert rows.count() > 0
    assert re.fullmatch(r"(over |under )?\d+\.\d%", rows.first.locator("td").inner_text())
    before = page.get_by_role("status").inner_text()
    typed(page, " A great great great film!")
    expect(page.get_by_role("status")).not_to_have_text(before)
    explained(page)
    assert page.locator("#words").inner_text().split() == f"{REVIEW} A great great great film!".split()
    assert messages == []


@browser
def test_markup_in_a_review_stays_text(page, messages):
    typed(page, "a great film <img src=x onerror=alert(1)> <b>bad</b>")
    explained(page)
    assert "<b>bad</b>" in page.locator("#words").inner_text()
    assert page.locator("#words img, #words b").count() == 0
    assert messages == []


@browser
def test_no_known_word_is_no_answer(page):
    typed(page, "zyzzyva")
    expect(page.get_by_role("status")).to_contain_text("No word of this text is known to the model.")
    expect(page.locator("#explanation")).to_be_hidden()
    page.keyboard.press("Control+A")
    page.keyboard.press("Delete")
    expect(page.get_by_role("status")).to_be_empty()


@browser
def test_a_long_review_gets_an_answer_and_the_reason_why_its_words_are_not_shaded(page):
    page.get_by_label("Type a text").fill("a great film " * 200)
    expect(page.locator("#words")).to_contain_text("words are explained up to 400 words")
    expect(page.get_by_role("status")).to_contain_text("with a probability of")
    expect(page.locator("#strongest")).to_be_hidden()


@browser
def test_a_server_that_is_gone_is_reported(page):
    page.route("**/invocations", lambda route: route.abort())
    typed(page, REVIEW)
    expect(page.get_by_role("status")).to_contain_text("The server does not respond.")
    page.unroute("**/invocations")


CONTRAST = """() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const over = (color, below) => {
    canvas.fillStyle = `rgb(${below})`; canvas.fillRect(0, 0, 1, 1);
    canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1);
    return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)];
  };
  const luminance = (rgb) => [.2126, .7152, .0722].reduce((sum, weight, i) => {
    const value = rgb[i] / 255;
    return sum + weight * (value <= .04045 ? value / 12.92 : ((value + .055) / 1.055) ** 2.4);
  }, 0);
  const background = (node) =>
    node ? over(getComputedStyle(node).backgroundColor, background(node.parentElement)) : [255, 255, 255];
  const has_text = (node) =>
    node.value || [...node.childNodes].some((child) => child.nodeType === 3 && child.data.trim());
  const texts = [...document.querySelectorAll("body *")].filter((node) => node.checkVisibility() && has_text(node));
  return texts.map((node) => {
    const below = background(node), ink = over(getComputedStyle(node).color, below);
    const [low, high] = [luminance(ink), luminance(below)].sort((a, b) => a - b);
    return [node.tagName + " " + node.textContent.slice(0, 30), (high + .05) / (low + .05)];
  });
}"""


@browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_is_readable_in_both_color_schemes_and_on_a_small_screen(page, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 320, "height": 640})
    typed(page, f"{REVIEW} {'great' * 30}")
    expect(page.locator("#words mark").first).to_be_visible()
    explained(page)
    for kind in "", "contradicts":  # the strongest shades
        page.locator("#legend mark").first.evaluate("(mark, kind) => { mark.className = kind }", kind)
        page.evaluate("document.documentElement.style.setProperty('--strength', 0.8)")
        ratios = page.evaluate(CONTRAST)
        assert len(ratios) > 15
        assert min(ratio for _, ratio in ratios) >= 4.5, sorted(ratios, key=lambda pair: pair[1])[:3]
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth") <= 320


@browser
def test_its_policy_lets_nothing_else_run(page):
    policy = page.request.get(page.url).headers["content-security-policy"]
    assert "unsafe" not in policy
    assert "http" not in policy
    page.evaluate("""() => {
        const script = document.createElement("script");
        script.textContent = "window.ran = 1";
        document.body.append(script);
        document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.ran = 1'>");
    }""")
    page.wait_for_timeout(100)
    assert page.evaluate("window.ran") is None
