"""Rows and table of the comparison."""

import pytest

from sentiment_rnn.evaluation.comparison import by_epoch, markdown, summarize
from sentiment_rnn.evaluation.metrics import wilson

EPOCH_METRICS = {"seed", "epochs", "mean_epoch_seconds", "mean_tokens_per_second"}


def seed(**changes) -> dict:
    return {
        "seed": 1, "validation_accuracy": 0.8, "validation_loss": 0.5, "test_accuracy": 0.75, "test_loss": 0.6,
        "test_reviews": 80, "parameters": 1234, "epochs": 4, "mean_epoch_seconds": 2.0,
        "mean_tokens_per_second": 5000.0, "train_seconds": 8.0,
    } | changes  # fmt: skip


def without_validation() -> dict:
    return {key: value for key, value in seed(test_accuracy=0.7).items() if not key.startswith("validation")}


def table(text: str) -> list[list[str]]:
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:2] == "| "]


def test_one_seed():
    row = summarize("bilstm", "holdout", [seed()])
    assert (row["architecture"], row["protocol"], row["seeds"]) == ("bilstm", "holdout", 1)
    for name in ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "parameters", "epochs"):
        assert row[name] == seed()[name]
    assert (row["test_accuracy_low"], row["test_accuracy_high"]) == wilson(60, 80)
    assert row["test_accuracy_sd"] is None


def test_several_seeds_give_mean_and_standard_deviation():
    seeds = [seed(test_accuracy=accuracy, mean_epoch_seconds=s) for accuracy, s in ((0.7, 1.0), (0.8, 2.0), (0.9, 6.0))]
    row = summarize("bilstm", "holdout", seeds)
    assert row["seeds"] == 3
    assert row["test_accuracy"] == pytest.approx(0.8)
    assert row["test_accuracy_sd"] == pytest.approx(0.1)
    assert row["epoch_seconds"] == pytest.approx(3.0)
    assert (row["test_accuracy_low"], row["test_accuracy_high"]) == wilson(64, 80)


def test_every_protocol_has_the_same_columns_and_none_for_metrics_that_it_lacks():
    fitted = {key: value for key, value in seed().items() if key not in EPOCH_METRICS}
    baseline = summarize("nb_logistic", "baseline", [fitted])
    keras = summarize("bilstm_keras", "keras_reference", [without_validation()], "random")
    network = summarize("rnn", "holdout", [seed(test_accuracy=0.5)], "word_vectors")
    assert list(baseline) == list(network) == list(keras), "DVC reads one set of columns"
    assert (baseline["epochs"], baseline["epoch_seconds"], baseline["tokens_per_second"]) == (None, None, None)
    assert (baseline["validation_loss"], baseline["test_accuracy"], baseline["train_seconds"]) == (0.5, 0.75, 8.0)
    assert (keras["validation_accuracy"], keras["validation_loss"]) == (None, None)
    head, first, second, _ = table(markdown([network, baseline, keras], "synthetic", {}))
    assert (first[0], second[0]) == ("nb_logistic", "bilstm_keras")
    shown = dict(zip(head, first, strict=True))
    assert (shown["s/epoch"], shown["total s"], shown["tokens/s"]) == ("n/a", "8.0", "n/a")
    assert dict(zip(head, second, strict=True))["validation, %"] == "n/a"


def test_the_table_is_sorted_by_test_accuracy():
    rows = [
        summarize(name, "holdout", [seed(test_accuracy=a)]) for name, a in (("rnn", 0.5), ("lstm", 0.9), ("gru", 0.7))
    ]
    text = markdown(rows, "synthetic", {})
    low, high = wilson(72, 80)
    assert [cells[0] for cells in table(text)] == ["model", "lstm", "gru", "rnn"]
    assert (
        f"| lstm | 80.00 | 90.00 ({100 * low:.2f} to {100 * high:.2f}) | 0.600 | 1,234 | 2.0 | 8.0 | 5,000 | 1 |"
        in text
    )
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1


def test_the_caption_names_data_set_embeddings_and_baselines():
    rows = [
        summarize("bilstm", "holdout", [seed()], "word_vectors"),
        summarize("bilstm_keras", "keras_reference", [seed()], "random"),
        summarize("echo_state", "holdout", [seed()], "fixed"),
        summarize("nb_logistic", "baseline", [seed()]),
    ]
    caption = markdown(rows, "synthetic", {}).split("\n| model")[0]
    assert caption.startswith("Data set: synthetic. Test accuracy on 80 reviews.")
    assert "Networks start from the same word vectors" in caption
    assert "random embedding: bilstm_keras (the reference script)." in caption
    assert "not trained: echo_state." in caption
    assert "logistic regression on n-grams: nb_logistic." in caption
    assert "Exceptions" not in markdown(rows[:1], "synthetic", {})


def test_the_keras_protocol_is_reported_by_epoch_as_the_mean_of_the_seeds():
    histories = [[{"test_accuracy": 0.8}, {"test_accuracy": 0.9}], [{"test_accuracy": 0.7}, {"test_accuracy": 0.6}]]
    assert by_epoch(histories) == [pytest.approx(0.75), pytest.approx(0.75)]
    rows = [summarize("keras", "keras_reference", [without_validation()], "random")]
    assert markdown(rows, "imdb", {"keras": [0.75, 0.5]}).endswith("0.7500 0.5000\n")
