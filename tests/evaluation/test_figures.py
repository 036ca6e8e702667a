"""Figures show the numbers they are given."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from sentiment_rnn.evaluation import figures
from sentiment_rnn.evaluation.metrics import wilson
from sentiment_rnn.evaluation.report import find

OWN, RIVAL = "bilstm, version 1", "nb_logistic"


@pytest.fixture(scope="module")
def made() -> tuple[dict, np.ndarray, dict]:
    """Probabilities of a good model and of one that guesses, labels, and findings."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 300)
    said = {OWN: np.clip(random.normal(0.2 + 0.6 * labels, 0.2), 0.01, 0.99), RIVAL: random.uniform(0.01, 0.99, 300)}
    texts = ["a film " + "but " * (row % 3) + "word " * (row % 200) for row in range(300)]
    return said, labels, find(said, [RIVAL], labels, texts, 0.5, lambda some: np.full(len(some), 0.6))


@pytest.fixture(scope="module")
def drawn(made):
    done = figures.draw(*made, "the sample's test reviews")
    plt.close("all")
    return done


def test_every_figure_names_the_reviews_and_its_axes(drawn):
    for name, figure in drawn.items():
        assert "the sample's test reviews" in figure.get_suptitle(), name
        assert all(axis.get_xlabel() for axis in figure.axes), name


def test_the_confusion_shows_the_counts(drawn, made):
    said, labels, _ = made
    called = said[OWN] >= 0.5
    counts = [int(text.get_text().split("\n")[0]) for text in drawn["confusion.png"].axes[0].texts]
    assert counts == [int(((labels == truth) & (called == one)).sum()) for truth in (0, 1) for one in (0, 1)]


def test_curves_have_every_model_and_the_corner_only_where_one_gets_there(made):
    said, labels, found = made
    both = figures.draw(said, labels, found, "reviews")
    guess = figures.draw({RIVAL: said[RIVAL]}, labels, found, "reviews")
    plt.close("all")
    for name in ("roc.png", "pr.png"):
        assert {line.get_label() for line in both[name].axes[0].lines} == {OWN, RIVAL, "by chance"}
        assert (len(both[name].axes), len(guess[name].axes)) == (2, 1), name


def test_calibration_has_both_curves_with_their_errors(drawn, made):
    lines = {str(line.get_label()): line for line in drawn["calibration.png"].axes[0].lines}
    for when in ("before", "after"):
        found = made[2]["calibration"][when]
        (line,) = (line for label, line in lines.items() if label.startswith(f"{when} the temperature"))
        assert f"ECE {found['ece']:.4f}" in line.get_label()
        assert line.get_xdata() == pytest.approx([point["said"] for point in found["curve"]])
        assert line.get_ydata() == pytest.approx([point["was"] for point in found["curve"]])


def test_slices_have_each_models_accuracy_in_each_group(drawn, made):
    for name, rows in made[2]["slices"].items():
        (axis,) = drawn[f"{name}.png"].axes
        assert [tick.get_text() for tick in axis.get_yticklabels()] == [
            f"{row['group']}\nn = {row['reviews']}" for row in rows
        ]
        points = {bars.get_label(): list(bars.lines[0].get_xdata()) for bars in axis.containers}
        for model in (OWN, RIVAL):
            assert points[model] == pytest.approx([100 * row["models"][model]["accuracy"] for row in rows])


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_model_that_is_always_right_or_wrong_is_drawn(share, made):
    said, labels, found = made
    rows = [
        {"group": str(count), "reviews": count, "models": {OWN: {"accuracy": share, "interval": wilson(hits, count)}}}
        for count in range(1, 200)
        for hits in [round(share * count)]
    ]
    drawn = figures.draw(said, labels, found | {"slices": {"length": rows}}, "reviews")
    plt.close("all")
    assert drawn["length.png"].axes[0].get_xlabel()
