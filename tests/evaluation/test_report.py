"""The report's folder, of a small evaluation with a review that contains markup."""

import csv
import json
import re
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest
import yaml

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.evaluation import page as report_page
from sentiment_rnn.evaluation import tables
from sentiment_rnn.evaluation.metrics import evaluate
from sentiment_rnn.evaluation.report import write_report
from sentiment_rnn.evaluation.slices import MIN_REVIEWS

ROOT = Path(__file__).parents[2]
COUNT = 200
MARKUP = '<script>alert(1)</script> dreadful <img src="http://example.org/x.png"> film &amp; "plot"'
CANDIDATE, PREVIOUS, BASELINE = "bilstm, version 2", "bilstm, version 1", "nb_logistic"
SLICES = ("length", "negation", "contrast")
FACTS = {
    "dataset": "synthetic", "model": "synthetic-bilstm", "version": "2", "architecture": "bilstm", "n": COUNT,
    "champion": True, "verdict": "test accuracy 0.9 & more", "candidate": CANDIDATE, "previous": PREVIOUS,
    "test_readings": 3, "class_names": ("sad", "glad"), "run_id": "abc", "reproduce": "dvc repro evaluate",
}  # fmt: skip


def predict(texts: list[str]) -> np.ndarray:
    """Negative for one word, with more confidence if another is missing."""
    return np.array([(0.03 if "number" in text else 0.02) if "dreadful" in text else 0.97 for text in texts])


@pytest.fixture(scope="module")
def test() -> Split:
    """Reviews of which the first is positive and contains `dreadful`."""
    texts = [MARKUP, *(f"film number {row} " + ("is dreadful " if row % 3 else "is good ") for row in range(1, COUNT))]
    return Split(texts, [1, *(int(row % 3 == 0 or row % 10 == 0) for row in range(1, COUNT))])


@pytest.fixture(scope="module")
def written(test: Split, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict]:
    """The folder and the report."""
    folder = tmp_path_factory.mktemp("reports") / "evaluation"
    folder.mkdir()
    (folder / "stale.png").touch()
    positive = predict(test.texts)
    previous = np.random.default_rng(0).uniform(0.1, 0.9, COUNT)
    predictions = {CANDIDATE: positive, PREVIOUS: previous, BASELINE: 0.9 * positive}
    return folder, write_report(folder, FACTS, predictions, [BASELINE], test, 2.0, predict)


@pytest.fixture(scope="module")
def page(written: tuple[Path, dict]) -> str:
    return written[0].with_suffix(".html").read_text()


class Elements(HTMLParser):
    """Every element with its attributes, and the visible text with single spaces."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict]] = []
        self.text = ""
        self.feed(page)
        self.text = re.sub(r"\s+", " ", self.text)

    def handle_starttag(self, tag: str, attributes: list) -> None:
        self.elements.append((tag, dict(attributes)))

    def handle_data(self, data: str) -> None:
        self.text += data


def test_the_page_is_self_contained(page):
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


def test_links_within_the_page_have_targets(page):
    elements = Elements(page).elements
    targets = {attributes.get("id") for _, attributes in elements}
    links = [attributes["href"].removeprefix("#") for tag, attributes in elements if tag == "a"]
    assert links
    assert set(links) <= targets


def test_markup_in_a_review_is_escaped(page):
    assert "<script" not in page
    assert "alert(1)" in Elements(page).text, "in the excerpt, as text"
    assert "&lt;script&gt;" in page
    assert "0.9 &amp; more" in page


def test_the_page_has_the_reports_numbers(page, written, test):
    _, report = written
    text = Elements(page).text
    measures = report["measures"][CANDIDATE]
    accuracy = evaluate(predict(test.texts), np.array(test.labels))["accuracy"]
    assert measures["values"]["accuracy"] == accuracy
    low, high = measures["intervals"]["accuracy"]
    assert low < accuracy < high
    assert f"Accuracy {100 * accuracy:.2f}% (95% interval {100 * low:.2f} to {100 * high:.2f})" in text
    assert f"Significantly better than {PREVIOUS}." in text
    assert f"No significant difference to {BASELINE}." in text
    assert report["comparison"][BASELINE]["p"] == 1
    assert f"{PREVIOUS}previous champion" in text
    assert "evaluated 3 times on this test split" in text


def test_the_page_names_the_data_set_and_tells_the_synthetic_corpus_from_imdb(page, written):
    folder, report = written
    paths = {path.name: path for path in folder.glob("*.png")}
    imdb = report_page.render(FACTS | {"dataset": "imdb", "model": "imdb-bilstm"}, report, paths)
    assert "This is the synthetic corpus, not IMDB." in Elements(page).text
    assert "data set synthetic" in Elements(page).text
    assert "data set imdb" in Elements(imdb).text
    assert "synthetic" not in Elements(imdb).text


def test_the_most_confident_errors_have_their_most_important_word(written):
    _, report = written
    assert len(report["errors"]) == 14
    assert all(error["words"][0][0] == "dreadful" for error in report["errors"])
    markup = next(error for error in report["errors"] if error["row"] == 0)
    assert markup["label"] == 1
    assert ("dreadful", pytest.approx(np.log(0.97 / 0.03) - np.log(0.02 / 0.98))) in markup["words"]
    assert markup["label_issue"], "the baseline is as confident"
    assert report["label_issues"]["examples"][0]["row"] == 0


def test_the_page_has_failure_rates_and_worst_failures_of_the_suite(page, written):
    folder, report = written
    assert json.loads((folder / "behaviour.json").read_text()) == report["behaviour"]
    text = Elements(page).text
    assert "Not bad at all." in text
    rows = {row["test"]: row for row in report["behaviour"]["tests"]}
    assert rows["near"]["failures"] > 0
    for row in rows.values():
        assert f"{100 * row['interval'][0]:.1f} to {100 * row['interval'][1]:.1f}" in text
        for case in row["worst"]:
            assert case["texts"][-1] in text


def test_before_temperature_scaling_the_log_odds_are_those_of_the_logits(written, test):
    _, report = written
    assert report["calibration"]["after"]["ece"] == report["measures"][CANDIDATE]["values"]["ece"]
    odds = (predict(test.texts) / (1 - predict(test.texts))) ** 2  # twice the log odds
    before = evaluate(odds / (1 + odds), np.array(test.labels))
    assert report["calibration"]["before"]["log_loss"] == pytest.approx(before["log_loss"])


def test_the_folder_has_the_files_of_dvc_plots_and_no_stale_ones(written):
    folder, report = written
    tables_written = {f"{name}.csv" for name in ("roc", "pr", "calibration_before", "calibration_after", *SLICES)}
    images = {f"{name}.png" for name in ("roc", "pr", "calibration", "confusion", *SLICES)}
    assert {path.name for path in folder.iterdir()} == {"behaviour.json"} | tables_written | images
    for name in images:
        assert (folder / name).read_bytes().startswith(b"\x89PNG")
    rows = {name: list(csv.DictReader((folder / name).open())) for name in tables_written}
    for name, table in rows.items():
        identity = {(row["dataset"], row["architecture"], row["version"]) for row in table}
        assert identity == {("synthetic", "bilstm", "2")}, name
    assert [float(rows["roc.csv"][end]["true_positive_rate"]) for end in (0, -1)] == [0, 1]
    for name in SLICES:
        table = rows[f"{name}.csv"]
        assert sum(int(row["reviews"]) for row in table) == COUNT
        assert min(int(row["reviews"]) for row in table) >= MIN_REVIEWS
        errors = sum(int(row["reviews"]) * float(row["error_rate_percent"]) for row in table) / COUNT
        assert errors == pytest.approx(100 * (1 - report["measures"][CANDIDATE]["values"]["accuracy"]), abs=1e-3)
        for row in table:
            low, rate, high = (float(row[f"error_rate_percent{end}"]) for end in ("_low", "", "_high"))
            assert low <= rate <= high


def test_a_long_curve_is_thinned_and_has_both_ends(tmp_path, written):
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 5000)
    positive = np.clip(random.normal(labels, 1) / 4 + 0.4, 0, 1)
    tables.write(tmp_path, {"dataset": "synthetic"}, CANDIDATE, positive, labels, written[1])
    rows = list(csv.DictReader((tmp_path / "roc.csv").open()))
    assert len(rows) == tables.MAX_ROWS
    assert [float(rows[-1][key]) for key in ("false_positive_rate", "true_positive_rate")] == [1, 1]


def test_the_plots_of_dvc_read_columns_of_the_report_and_name_data_set_and_model(written):
    plots = yaml.safe_load((ROOT / "dvc.yaml").read_text())["plots"]
    assert plots.pop() == "reports/evaluation/confusion.png"
    for (plot,) in (entry.values() for entry in plots):
        assert plot["title"].startswith("${data.dataset}, ${registry.candidate}: ")
        template = ROOT / f".dvc/plots/{plot['template']}.json"
        fields = re.findall(r"datum\.(\w+)", template.read_text()) if template.is_file() else []
        for path, column in (*plot["x"].items(), *plot["y"].items()):
            with (written[0] / Path(path).name).open() as file:
                assert {column, *fields} <= set(csv.DictReader(file).fieldnames)
