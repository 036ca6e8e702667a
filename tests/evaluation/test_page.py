"""The report as people get it: figures, tables and one page, of a small made-up evaluation with a hostile review."""

import csv
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.evaluation import tables
from sentiment_rnn.evaluation.metrics import evaluate
from sentiment_rnn.evaluation.report_files import write

COUNT = 200
HOSTILE = '<script>alert(1)</script> dreadful <img src="http://example.org/x.png"> film &amp; "plot"'
OWN, BEFORE, RIVAL = "bilstm, version 2", "bilstm, version 1", "nb_logistic"


def ask(texts: list[str]) -> np.ndarray:
    """Goes by one word, and is surer where another is missing."""
    return np.array([(0.03 if "number" in text else 0.02) if "dreadful" in text else 0.97 for text in texts])


@pytest.fixture(scope="module")
def test() -> Split:
    """Reviews of which the first is positive, and called negative for the word `dreadful`."""
    texts = [HOSTILE, *(f"film number {row} " + ("is dreadful " if row % 3 else "is good ") for row in range(1, COUNT))]
    return Split(texts, [1, *(int(row % 3 == 0 or row % 10 == 0) for row in range(1, COUNT))])


@pytest.fixture(scope="module")
def written(test: Split, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The report's folder, and what was found."""
    folder = tmp_path_factory.mktemp("reports") / "evaluation"
    folder.mkdir()
    (folder / "stale.png").touch()
    random = np.random.default_rng(0)
    said = {OWN: ask(test.texts), BEFORE: random.uniform(0.1, 0.9, COUNT), RIVAL: 0.9 * ask(test.texts)}
    facts = {
        "dataset": "sample", "model": "imdb-bilstm", "version": "2", "architecture": "bilstm", "n": COUNT,
        "champion": True, "verdict": "test accuracy 0.9 & more", "own": OWN, "previous": BEFORE, "run_id": "abc",
        "reproduce": "dvc repro evaluate",
    }  # fmt: skip
    return folder, write(folder, facts, said, [RIVAL], test, 2.0, ask)


@pytest.fixture(scope="module")
def page(written: tuple[Path, dict]) -> str:
    return (written[0] / "index.html").read_text()


class Elements(HTMLParser):
    """Every element with its attributes, and the text that a reader sees."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_needs_nothing_beside_itself(page):
    elements = Elements(page).elements
    assert not {tag for tag, _ in elements} & {"script", "link", "iframe", "object", "embed", "base", "form"}
    for _, attributes in elements:
        assert not [name for name in attributes if name.startswith("on")]
        for name in ("src", "href", "srcset"):
            assert attributes.get(name, "#").startswith(("#", "data:image/png;base64,"))
    assert "url(" not in page
    assert "@import" not in page
    assert len([tag for tag, _ in elements if tag == "img"]) == 7
    assert len(page) < 1_500_000


def test_a_reviews_markup_is_shown_and_never_obeyed(page):
    assert "<script" not in page
    assert "alert(1)" in Elements(page).text, "the excerpt has it as text"
    assert "&lt;script&gt;" in page
    assert "0.9 &amp; more" in page


def test_the_page_says_what_was_found(page, written, test):
    _, found = written
    text = re.sub(r"\s+", " ", Elements(page).text)
    own = found["measures"][OWN]
    accuracy = evaluate(ask(test.texts), np.array(test.labels))["accuracy"]
    assert own["values"]["accuracy"] == accuracy
    low, high = own["intervals"]["accuracy"]
    assert low < accuracy < high
    assert f"Accuracy {100 * accuracy:.2f}% (95% interval {100 * low:.2f} to {100 * high:.2f})" in text
    assert f"It is better than {BEFORE}." in text
    assert f"These reviews cannot tell it from {RIVAL}." in text
    assert found["against"][RIVAL]["p"] == 1
    assert "the champion before" in text
    for heading in ("Measures", "McNemar", "ROC", "Calibration", "Confusion", "errors", "noise"):
        assert heading in " ".join(re.findall(r"<h2[^>]*>(.*?)</h2>", page)), heading


def test_the_sample_is_called_the_sample(page):
    assert "This is the generated sample, not IMDB" in page
    said = Elements(page).text.replace("imdb-bilstm", "").replace("not IMDB", "")
    assert "IMDB" not in said.replace("say nothing about IMDB", "")


def test_the_surest_errors_come_with_the_word_that_carried_them(written):
    _, found = written
    assert len(found["errors"]) == 14
    assert all(error["words"][0][0] == "dreadful" for error in found["errors"])
    hostile = next(error for error in found["errors"] if error["row"] == 0)
    assert hostile["label"] == 1
    assert ("dreadful", pytest.approx(np.log(0.97 / 0.03) - np.log(0.02 / 0.98))) in hostile["words"]
    assert hostile["doubtful"], "the baseline is sure of it too"
    assert found["noise"]["most"][0]["row"] == 0


def test_the_temperature_is_undone_for_the_calibration_before_it(written, test):
    _, found = written
    assert found["calibration"]["after"]["ece"] == found["measures"][OWN]["values"]["ece"]
    odds = (ask(test.texts) / (1 - ask(test.texts))) ** 2  # twice the log odds
    before = evaluate(odds / (1 + odds), np.array(test.labels))
    assert found["calibration"]["before"]["log_loss"] == pytest.approx(before["log_loss"])


def test_the_folder_holds_what_dvc_draws_and_nothing_of_before(written, test):
    folder, found = written
    names = {path.name for path in folder.iterdir()}
    slices = ("length", "negation", "contrast")
    drawn = {
        "roc.csv",
        "pr.csv",
        "calibration_before.csv",
        "calibration_after.csv",
        *(f"{name}.csv" for name in slices),
    }
    pictures = {"roc.png", "pr.png", "calibration.png", "confusion.png", *(f"{name}.png" for name in slices)}
    assert names == {"index.html"} | drawn | pictures
    for name in pictures:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    rows = {name: list(csv.DictReader((folder / name).open())) for name in drawn}
    assert [float(rows["roc.csv"][end]["called_positive_rightly"]) for end in (0, -1)] == [0, 1]
    assert sum(int(row["reviews"]) for row in rows["length.csv"]) == COUNT
    wrong = sum(int(row["reviews"]) * float(row["wrong_percent"]) for row in rows["length.csv"]) / COUNT
    assert wrong == pytest.approx(100 * (1 - found["measures"][OWN]["values"]["accuracy"]), abs=1e-3)


def test_a_long_curve_is_thinned_to_its_ends(tmp_path, written):
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 5000)
    tables.write(np.clip(random.normal(labels, 1) / 4 + 0.4, 0, 1), labels, written[1], OWN, tmp_path)
    rows = list(csv.DictReader((tmp_path / "roc.csv").open()))
    assert len(rows) == tables.POINTS
    assert [float(rows[-1][key]) for key in rows[-1]] == [1, 1]
