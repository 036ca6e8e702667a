"""The figures' data are the numbers of the report."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from sentiment_rnn.evaluation import figures
from sentiment_rnn.evaluation.metrics import wilson
from sentiment_rnn.evaluation.report import compute_report

CANDIDATE, BASELINE = "bilstm, version 1", "nb_logistic"


@pytest.fixture(scope="module")
def evaluation() -> tuple[dict, np.ndarray, dict]:
    """Predictions of a good model and of random guessing, labels, and the report."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    good = np.clip(random.normal(0.2 + 0.6 * labels, 0.2), 0.01, 0.99)
    predictions = {CANDIDATE: good, BASELINE: random.uniform(0.01, 0.99, 300)}
    texts = ["a film " + "but " * (row % 3) + "word " * (row % 200) for row in range(300)]
    report = compute_report(predictions, [BASELINE], labels, texts, 0.5, lambda some: np.full(len(some), 0.6))
    return predictions, labels, report


@pytest.fixture(scope="module")
def drawn(evaluation):
    result = figures.draw(*evaluation, "synthetic test", ("sad", "glad"))
    plt.close("all")
    return result


def test_every_figure_names_the_data_set_and_its_axes(drawn):
    for name, figure in drawn.items():
        assert "synthetic test" in figure.get_suptitle(), name
        assert all(axis.get_xlabel() for axis in figure.axes), name


def test_the_confusion_matrix_has_the_counts(drawn, evaluation):
    predictions, labels, _ = evaluation
    predicted = predictions[CANDIDATE] >= 0.5
    counts = [int(text.get_text().split("\n")[0]) for text in drawn["confusion.png"].axes[0].texts]
    assert counts == [int(((labels == truth) & (predicted == one)).sum()) for truth in (0, 1) for one in (0, 1)]


def test_curves_have_every_model_and_the_corner_only_where_one_reaches_it(drawn, evaluation):
    predictions, labels, report = evaluation
    chance = figures.draw({BASELINE: predictions[BASELINE]}, labels, report, "test", ("sad", "glad"))
    plt.close("all")
    for name in ("roc.png", "pr.png"):
        assert {line.get_label() for line in drawn[name].axes[0].lines} == {CANDIDATE, BASELINE, "chance"}
        assert (len(drawn[name].axes), len(chance[name].axes)) == (2, 1), name


def test_calibration_has_both_curves_with_their_errors(drawn, evaluation):
    lines = {str(line.get_label()): line for line in drawn["calibration.png"].axes[0].lines}
    for when in ("before", "after"):
        expected = evaluation[2]["calibration"][when]
        (line,) = (line for label, line in lines.items() if label.startswith(f"{when} temperature scaling"))
        assert f"ECE {expected['ece']:.4f}" in line.get_label()
        for data, key in (
            (line.get_xdata(), "mean_predicted_probability"),
            (line.get_ydata(), "fraction_of_positives"),
        ):
            assert data == pytest.approx([point[key] for point in expected["curve"]])


def test_slices_have_the_number_of_reviews_and_each_models_accuracy(drawn, evaluation):
    for name, rows in evaluation[2]["slices"].items():
        (axis,) = drawn[f"{name}.png"].axes
        assert [tick.get_text() for tick in axis.get_yticklabels()] == [
            f"{row['slice']}\nn = {row['reviews']}" for row in rows
        ]
        points = {bars.get_label(): list(bars.lines[0].get_xdata()) for bars in axis.containers}
        for model in (CANDIDATE, BASELINE):
            assert points[model] == pytest.approx([100 * row["models"][model]["accuracy"] for row in rows])


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_error_bars_of_a_model_that_is_always_right_or_wrong(accuracy, evaluation):
    predictions, labels, report = evaluation
    rows = [
        {"slice": str(n), "reviews": n, "models": {CANDIDATE: {"accuracy": accuracy, "interval": wilson(hits, n)}}}
        for n in range(1, 200)
        for hits in [round(accuracy * n)]
    ]
    result = figures.draw(
        predictions, labels, report | {"slices": {"length": rows}}, "test", ("sad", "glad")
    )  # rounding went below 0
    plt.close("all")
    assert result["length.png"].axes[0].containers
