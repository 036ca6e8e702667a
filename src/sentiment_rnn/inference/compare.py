"""Compare the family and the linear baselines on test, after every choice was made on validation."""

import csv
from pathlib import Path
from typing import Any

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation import plots
from sentiment_rnn.evaluation.comparison import by_epoch, markdown, summarize
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import atomic_file, read_json, write_json
from sentiment_rnn.inference.logits import baseline_logits, network_logits
from sentiment_rnn.params import BASELINES, Params
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect


def compare(params: Params, *, raw: Path, tokens: Path, models: Path, reports: Path) -> None:
    """Evaluate every trained model on test; write `reports/comparison.{json,csv,md,png}`.

    Args:
        params: `architectures` is used.
        raw: folder of the download stage, input of the baselines.
        tokens: folder of the tokenize stage, input of the networks.
        models: folder of all trained models.
        reports: contains the training reports, in `train/`.

    Raises:
        UserError: a model is missing or corrupt.
    """
    dataset = load_identity(tokens)["dataset"]
    client = connect()
    rows, test_accuracy_by_epoch = [], {}
    for path in [*map(params.path_of, params.architectures), *(f"baselines/{name}" for name in BASELINES)]:
        trained = read_json(reports / "train" / f"{path}.json")
        seeds = [evaluate_seed(seed, models / path, raw, tokens) for seed in trained["seeds"]]
        for seed in seeds:
            if runs.exists(client, seed["run_id"]):
                client.log_metric(seed["run_id"], "final_test_accuracy", seed["test_accuracy"])
        name = trained["architecture"]
        rows.append(summarize(name, trained["protocol"], seeds, embedding(params, name)))
        if trained["protocol"] == "keras_reference":
            histories = [read_json(models / path / f"seed-{seed['seed']}" / "history.json") for seed in seeds]
            test_accuracy_by_epoch[name] = by_epoch(histories)
        print(f"{name}: test accuracy {rows[-1]['test_accuracy']:.4f}", flush=True)

    report = {
        "dataset": dataset,
        "architectures": {row["architecture"]: row for row in rows},
        "keras_reference_test_accuracy_by_epoch": test_accuracy_by_epoch,
    }
    write_json(reports / "comparison.json", report)
    with atomic_file(reports / "comparison.csv") as file:
        writer = csv.DictWriter(file, fieldnames=["dataset", *rows[0]], lineterminator="\n")
        writer.writeheader()
        writer.writerows({"dataset": dataset, **row} for row in rows)
    table = markdown(rows, dataset, test_accuracy_by_epoch)
    with atomic_file(reports / "comparison.md") as file:
        file.write(table)
    plots.comparison(rows, dataset).savefig(reports / "comparison.png", dpi=120)
    print(table)


def embedding(params: Params, name: str) -> str | None:
    """How a network's embedding starts, a key of `comparison.EMBEDDINGS`; None for a baseline."""
    if name in BASELINES:
        return None
    model = params.model_of(name)
    if model.cell == "echo_state" or model.trainable != "all":
        return "fixed"
    return "word_vectors" if model.word_vectors else "random"


def evaluate_seed(seed: dict[str, Any], folder: Path, raw: Path, tokens: Path) -> dict[str, Any]:
    """Evaluate one trained model on test.

    Args:
        seed: its entry in the training report; a baseline's has no `seed`.
        folder: of all seeds of a network, or of a baseline.
        raw: folder of the download stage.
        tokens: folder of the tokenize stage.

    Returns:
        The entry with `test_accuracy`, `test_loss` and `test_reviews`.
    """
    if "seed" in seed:
        logits, labels = network_logits(folder / f"seed-{seed['seed']}", tokens, "test")
    else:
        logits, labels = baseline_logits(folder, raw, tokens, "test")
    metrics = evaluate(probabilities(logits), labels)
    return {
        **seed,
        "test_accuracy": metrics["accuracy"],
        "test_loss": metrics["log_loss"],
        "test_reviews": metrics["n"],
    }
