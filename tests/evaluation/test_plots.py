"""The figures' data are the numbers that they are given."""

import pytest
from matplotlib import pyplot as plt

from sentiment_rnn.evaluation import plots
from sentiment_rnn.evaluation.comparison import summarize

HISTORY = [
    {"epoch": 1, "train_loss": 0.7, "train_accuracy": 0.5, "validation_loss": 0.6, "validation_accuracy": 0.6},
    {"epoch": 2, "train_loss": 0.5, "train_accuracy": 0.7, "validation_loss": 0.4, "validation_accuracy": 0.8},
]
SEED = {
    "seed": 1, "validation_accuracy": 0.8, "validation_loss": 0.5, "test_accuracy": 0.75, "test_loss": 0.6,
    "test_reviews": 80, "parameters": 1234, "epochs": 4, "mean_epoch_seconds": 2.0, "mean_tokens_per_second": 5000.0,
    "train_seconds": 8.0,
}  # fmt: skip


@pytest.fixture(autouse=True)
def close_figures():
    yield
    plt.close("all")


def test_learning_curves_have_both_splits():
    figure = plots.learning_curves(HISTORY, "bilstm")
    loss, accuracy = figure.axes
    curves = {line.get_label(): list(line.get_ydata()) for line in loss.lines}
    assert curves == {"train": [0.7, 0.5], "validation": [0.6, 0.4]}
    assert {line.get_label(): list(line.get_ydata()) for line in accuracy.lines}["validation"] == [0.6, 0.8]
    assert list(loss.lines[0].get_xdata()) == [1, 2]


def test_the_comparison_has_every_model_and_names_the_data_set():
    keras = {key: value for key, value in SEED.items() if not key.startswith("validation")}
    rows = [
        summarize("bilstm", "holdout", [SEED]),
        summarize("bilstm_keras", "keras_reference", [keras | {"test_accuracy": 0.7}]),
        summarize("nb_logistic", "baseline", [SEED | {"test_accuracy": 0.6, "train_seconds": 3.0}]),
    ]
    figure = plots.comparison(rows, "synthetic")
    left, right = figure.axes
    assert figure.get_suptitle() == "Architectures on synthetic, 80 test reviews"
    (tests,) = (line for line in left.lines if str(line.get_label()).startswith("test"))
    assert dict(zip(tests.get_ydata(), tests.get_xdata(), strict=True)) == {
        "bilstm": 75.0,
        "bilstm_keras": 70.0,
        "nb_logistic": 60.0,
    }
    (validation,) = (line for line in left.lines if line.get_label() == "validation")
    assert list(validation.get_ydata()) == ["nb_logistic", "bilstm"], "keras_reference has no validation"
    networks, baselines = ([bar.get_width() for bar in bars] for bars in right.containers)
    assert (networks, baselines) == ([8.0, 8.0], [3.0])
    assert [round(bar.get_y() + bar.get_height() / 2) for bar in right.containers[1]] == [0], "beside its name"
