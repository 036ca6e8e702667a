"""The comparison's rows and its table."""

import pytest
import torch
from conftest import shrunk_values

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.evaluation.comparison import by_epoch, markdown, score_on_test, summarise
from sentiment_rnn.evaluation.metrics import wilson
from sentiment_rnn.inference import serialization
from sentiment_rnn.models import Classifier

EPOCHS_OWN = {"seed", "epochs", "mean_epoch_seconds", "mean_tokens_per_second"}


def seed(**changes) -> dict:
    return {
        "seed": 1, "validation_accuracy": 0.8, "validation_loss": 0.5, "test_accuracy": 0.75, "test_loss": 0.6,
        "test_reviews": 80, "parameters": 1234, "epochs": 4, "mean_epoch_seconds": 2.0,
        "mean_tokens_per_second": 5000.0, "train_seconds": 8.0,
    } | changes  # fmt: skip


def test_one_seed_is_its_own_row():
    row = summarise("bilstm", "holdout", [seed()])
    assert (row["architecture"], row["protocol"], row["seeds"]) == ("bilstm", "holdout", 1)
    for name in ("validation_accuracy", "validation_loss", "test_accuracy", "test_loss", "parameters", "epochs"):
        assert row[name] == seed()[name]
    assert (row["test_accuracy_low"], row["test_accuracy_high"]) == wilson(60, 80)
    assert row["test_accuracy_sd"] is None


def test_several_seeds_are_their_mean_with_their_spread():
    seeds = [seed(test_accuracy=accuracy, mean_epoch_seconds=s) for accuracy, s in ((0.7, 1.0), (0.8, 2.0), (0.9, 6.0))]
    row = summarise("bilstm", "holdout", seeds)
    assert row["seeds"] == 3
    assert row["test_accuracy"] == pytest.approx(0.8)
    assert row["test_accuracy_sd"] == pytest.approx(0.1)
    assert row["epoch_seconds"] == pytest.approx(3.0)
    assert (row["test_accuracy_low"], row["test_accuracy_high"]) == wilson(64, 80)


def test_the_documents_protocol_has_no_validation_figures():
    alone = {key: value for key, value in seed().items() if not key.startswith("validation")}
    row = summarise("bilstm_keras", "document", [alone])
    assert row["validation_accuracy"] is None
    assert row["validation_loss"] is None


def test_a_linear_rival_has_seconds_in_all_and_none_an_epoch():
    fitted = {key: value for key, value in seed().items() if key not in EPOCHS_OWN}
    baseline, network = (
        summarise("nb_logistic", "linear", [fitted]),
        summarise("rnn", "holdout", [seed(test_accuracy=0.5)]),
    )
    assert list(baseline) == list(network), "DVC reads one set of columns"
    assert (baseline["epochs"], baseline["epoch_seconds"], baseline["tokens_per_second"]) == (None, None, None)
    assert (baseline["validation_loss"], baseline["test_accuracy"], baseline["train_seconds"]) == (0.5, 0.75, 8.0)
    head, first, second = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in markdown([network, baseline], "sample", {}).splitlines()
        if line.startswith("| ")
    )
    assert (first[0], second[0]) == ("nb_logistic", "rnn")
    told = dict(zip(head, first, strict=True))
    assert (told["s an epoch"], told["s in all"], told["tokens a second"]) == ("none", "8.0", "none")


def test_the_table_is_best_first_and_says_which_data():
    rows = [
        summarise("rnn", "holdout", [seed(test_accuracy=0.5)]),
        summarise("bilstm_keras", "document", [seed(test_accuracy=0.7)]),
        summarise("bilstm", "holdout", [seed(test_accuracy=0.9)]),
    ]
    lines = markdown(rows, "sample", {}).splitlines()
    assert lines[0].startswith("Dataset: sample.")
    table = [line for line in lines if line.startswith("| ")]
    assert [line.split(" | ")[0] for line in table] == ["| architecture", "| bilstm", "| bilstm_keras", "| rnn"]
    low, high = wilson(72, 80)
    assert table[1] == (
        f"| bilstm | 80.00 | 90.00 ({100 * low:.2f} to {100 * high:.2f}) | 0.600 | 1,234 | 2.0 | 8.0 | 5,000 | 1 |"
    )
    assert table[2].split(" | ")[1] == "none"
    assert len({line.count("|") for line in lines if line.startswith("|")}) == 1


def test_each_seeds_model_is_scored_on_test(tokens, tmp_path):
    model = params.Params.model_validate(shrunk_values()).model_of("bilstm")
    labels = TokenizedReviews(tokens, ["test"], Encoding(**model.encoding())).labels
    for number, bias in ((1, 5.0), (2, -5.0)):  # one calls all positive, one all negative
        classifier = Classifier(**model.architecture())
        torch.nn.init.zeros_(classifier.readout.weight)
        torch.nn.init.constant_(classifier.readout.bias, bias)
        folder = tmp_path / f"bilstm/seed-{number}"
        serialization.save(classifier, model.architecture(), Encoding(**model.encoding()), folder)
    trained = {
        "architecture": "bilstm",
        "protocol": "holdout",
        "seeds": [{"seed": 1, "epochs": 4}, {"seed": 2, "epochs": 3}],
    }
    first, second = score_on_test(trained, tmp_path, tokens, tokens.parent / "raw")
    assert (first["seed"], first["epochs"], first["test_reviews"]) == (1, 4, len(labels))
    assert first["test_accuracy"] == pytest.approx(labels.mean())
    assert second["test_accuracy"] == pytest.approx(1 - labels.mean())
    right, wrong = -torch.tensor([5.0, -5.0]).sigmoid().log()
    assert first["test_loss"] == pytest.approx(float(labels.mean() * right + (1 - labels.mean()) * wrong), rel=1e-4)


def test_the_documents_protocol_is_told_by_epoch_as_the_mean_of_the_seeds():
    histories = [[{"test_accuracy": 0.8}, {"test_accuracy": 0.9}], [{"test_accuracy": 0.7}, {"test_accuracy": 0.6}]]
    assert by_epoch(histories) == [pytest.approx(0.75), pytest.approx(0.75)]
    assert markdown([summarise("keras", "document", [seed()])], "imdb", {"keras": [0.75, 0.5]}).endswith(
        "0.7500 0.5000\n"
    )
