"""All networks and linear baselines side by side, on test: read only now that every choice was made on validation."""

from statistics import mean, stdev
from typing import Any

from sentiment_rnn.evaluation.metrics import wilson


def summarize(architecture: str, protocol: str, seeds: list[dict[str, Any]]) -> dict[str, Any]:
    """One row of the table: means over the seeds, test accuracy with its 95% interval; None what there is none of."""
    accuracies = [seed["test_accuracy"] for seed in seeds]
    count = seeds[0]["test_reviews"]
    low, high = wilson(round(mean(accuracies) * count), count)
    judged = protocol != "keras_reference"  # it has no validation split
    by_epochs = protocol != "baseline"  # a convex loss, fitted once to its end
    return {
        "architecture": architecture,
        "protocol": protocol,
        "seeds": len(seeds),
        "validation_accuracy": mean(seed["validation_accuracy"] for seed in seeds) if judged else None,
        "validation_loss": mean(seed["validation_loss"] for seed in seeds) if judged else None,
        "test_accuracy": mean(accuracies),
        "test_accuracy_low": low,
        "test_accuracy_high": high,
        "test_accuracy_sd": stdev(accuracies) if len(seeds) > 1 else None,
        "test_loss": mean(seed["test_loss"] for seed in seeds),
        "parameters": seeds[0]["parameters"],
        "epochs": mean(seed["epochs"] for seed in seeds) if by_epochs else None,
        "epoch_seconds": mean(seed["mean_epoch_seconds"] for seed in seeds) if by_epochs else None,
        "tokens_per_second": mean(seed["mean_tokens_per_second"] for seed in seeds) if by_epochs else None,
        "train_seconds": mean(seed["train_seconds"] for seed in seeds),
    }


def by_epoch(histories: list[list[dict[str, float]]]) -> list[float]:
    """Test accuracy after each epoch, the mean over the seeds' histories: what the document's protocol reports."""
    return [mean(row["test_accuracy"] for row in epoch) for epoch in zip(*histories, strict=True)]


def markdown(rows: list[dict[str, Any]], dataset: str, document: dict[str, list[float]]) -> str:
    """The table as people read it, best test accuracy first; `document` has `by_epoch` of who follows that protocol."""
    lines = [
        f"Dataset: {dataset}. Test accuracy with the 95% interval that the number of test reviews gives; where several",
        "seeds were trained, their mean and standard deviation. Seconds in all are those of one training: a network's",
        "epochs, or a linear baseline's one fit, counting its n-grams included.",
        "",
        "| architecture | validation, % | test, % | test loss | parameters | s an epoch | s in all | tokens a second "
        "| seeds |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for row in sorted(rows, key=lambda row: -row["test_accuracy"]):
        validation = f"{100 * row['validation_accuracy']:.2f}" if row["validation_accuracy"] is not None else "none"
        spread = f" ± {100 * row['test_accuracy_sd']:.2f}" if row["test_accuracy_sd"] is not None else ""
        lines.append(
            f"| {row['architecture']} | {validation} | {100 * row['test_accuracy']:.2f}{spread} "
            f"({100 * row['test_accuracy_low']:.2f} to {100 * row['test_accuracy_high']:.2f}) | {row['test_loss']:.3f} "
            f"| {row['parameters']:,} | {_written(row['epoch_seconds'], '.1f')} | {row['train_seconds']:.1f} "
            f"| {_written(row['tokens_per_second'], ',.0f')} | {row['seeds']} |"
        )
    for name, accuracies in document.items():
        epochs = " ".join(f"{accuracy:.4f}" for accuracy in accuracies)
        lines += [
            "",
            f"{name} follows its document's protocol: trained on train and validation, scored on test after each",
            f"epoch, the last epoch counts. Test accuracy by epoch, mean of its seeds: {epochs}",
        ]
    return "\n".join(lines) + "\n"


def _written(value: float | None, form: str) -> str:
    return "none" if value is None else format(value, form)
