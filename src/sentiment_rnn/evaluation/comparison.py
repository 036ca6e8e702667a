"""The table of all networks and baselines on test."""

from statistics import mean, stdev
from typing import Any

from sentiment_rnn.evaluation.metrics import wilson

HEADER = "| model | validation, % | test, % | test loss | parameters | s/epoch | total s | tokens/s | seeds |"

EMBEDDINGS = {  # how a network's embedding starts: a line of the caption
    "word_vectors": "Networks start from the same word vectors, learned from this data set's own texts",
    "random": "Exceptions with a random embedding",
    "fixed": "Exceptions with an embedding that is not trained",
}


def summarize(
    architecture: str, protocol: str, seeds: list[dict[str, Any]], embedding: str | None = None
) -> dict[str, Any]:
    """One row of the table: means over the seeds; None where a model has no such metric.

    Args:
        architecture: a network's or a baseline's name.
        protocol: holdout; keras_reference, which has no validation split; or baseline, which has no epochs and no
            embedding.
        seeds: each seed's training report with `test_accuracy`, `test_loss` and `test_reviews`.
        embedding: how a network's embedding starts, a key of `EMBEDDINGS`.
    """
    accuracies = [seed["test_accuracy"] for seed in seeds]
    reviews = seeds[0]["test_reviews"]
    low, high = wilson(round(mean(accuracies) * reviews), reviews)

    def average(key: str) -> float | None:
        return mean(seed[key] for seed in seeds) if key in seeds[0] else None

    return {
        "architecture": architecture,
        "protocol": protocol,
        "embedding": embedding,
        "seeds": len(seeds),
        "validation_accuracy": average("validation_accuracy"),
        "validation_loss": average("validation_loss"),
        "test_reviews": reviews,
        "test_accuracy": mean(accuracies),
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "test_accuracy_sd": stdev(accuracies) if len(seeds) > 1 else None,
        "test_loss": mean(seed["test_loss"] for seed in seeds),
        "parameters": seeds[0]["parameters"],
        "epochs": average("epochs"),
        "epoch_seconds": average("mean_epoch_seconds"),
        "tokens_per_second": average("mean_tokens_per_second"),
        "train_seconds": mean(seed["train_seconds"] for seed in seeds),
    }


def by_epoch(histories: list[list[dict[str, float]]]) -> list[float]:
    """Test accuracy after each epoch, mean over the seeds' histories; the protocol keras_reference reports it."""
    return [mean(row["test_accuracy"] for row in epoch) for epoch in zip(*histories, strict=True)]


def markdown(rows: list[dict[str, Any]], dataset: str, test_accuracy_by_epoch: dict[str, list[float]]) -> str:
    """The table with its caption, best test accuracy first.

    Args:
        rows: from `summarize`.
        dataset: its name.
        test_accuracy_by_epoch: of each architecture with the protocol keras_reference.
    """
    caption = []
    for kind, text in EMBEDDINGS.items():
        if group := [_caption_name(row) for row in rows if row["embedding"] == kind]:
            caption.append(f"- {text}{'' if kind == 'word_vectors' else ': ' + ', '.join(group)}.")
    if baselines := [row["architecture"] for row in rows if row["protocol"] == "baseline"]:
        caption.append(f"- Baselines, logistic regression on n-grams: {', '.join(baselines)}.")
    lines = [
        f"Data set: {dataset}. Test accuracy on {rows[0]['test_reviews']:,} reviews. Its 95% interval (Wilson) covers",
        "the sampling of the test reviews, not the seed; with several seeds, mean ± standard deviation.",
        "Total seconds are those of one training: all epochs of a network, or a baseline's n-gram counts and fit.",
        "",
        *caption,
    ]
    lines += ["", HEADER, "|---" + "|---:" * (HEADER.count("|") - 2) + "|"]
    for row in sorted(rows, key=lambda row: -row["test_accuracy"]):
        deviation = f" ± {100 * row['test_accuracy_sd']:.2f}" if row["test_accuracy_sd"] is not None else ""
        cells = [
            row["architecture"],
            "n/a" if row["validation_accuracy"] is None else f"{100 * row['validation_accuracy']:.2f}",
            f"{100 * row['test_accuracy']:.2f}{deviation} "
            f"({100 * row['test_accuracy_low']:.2f} to {100 * row['test_accuracy_high']:.2f})",
            f"{row['test_loss']:.3f}",
            f"{row['parameters']:,}",
            "n/a" if row["epoch_seconds"] is None else f"{row['epoch_seconds']:.1f}",
            f"{row['train_seconds']:.1f}",
            "n/a" if row["tokens_per_second"] is None else f"{row['tokens_per_second']:,.0f}",
            str(row["seeds"]),
        ]
        lines.append(f"| {' | '.join(cells)} |")
    for name, accuracies in test_accuracy_by_epoch.items():
        lines += [
            "",
            f"{name} follows its reference script: trained on train and validation, evaluated on test after each",
            "epoch; the last epoch counts. Test accuracy by epoch, mean of its seeds: "
            + " ".join(f"{accuracy:.4f}" for accuracy in accuracies),
        ]
    return "\n".join(lines) + "\n"


def _caption_name(row: dict[str, Any]) -> str:
    return row["architecture"] + " (the reference script)" * (row["protocol"] == "keras_reference")
