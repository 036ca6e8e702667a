"""Train a rival: one MLflow run; the model as files."""

from pathlib import Path
from typing import Any

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.linear import model, reviews
from sentiment_rnn.linear.fit import fit
from sentiment_rnn.params import RivalParams
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect


def train(name: str, params: RivalParams, *, raw: Path, tokens: Path, out: Path) -> dict[str, Any]:
    """Fit, choose C on validation, write the model.

    Args:
        name: the rival's.
        params: its parameters.
        raw: folder of the download stage.
        tokens: folder of the tokenize stage: which reviews stand in which split.
        out: the model's folder.

    Returns:
        What there is to report.

    Raises:
        UserError: the splits are not there, or hold no n-gram that is frequent enough.
    """
    splits = {split: reviews.load(raw, tokens, split) for split in ("train", "validation")}
    identity = load_identity(tokens)
    client = connect()
    run_id = runs.start(
        client,
        identity["dataset"],
        name,
        params=params.model_dump(),
        tags={"architecture": name, "protocol": "linear", "reproduce": f"dvc repro linear@{name}"},
        identity=identity,
    )
    with runs.running(client, run_id):
        done = fit(name, params, **splits)
        model.save(done.model, out)
        for file in sorted(out.iterdir()):
            client.log_artifact(run_id, str(file), "model")
        report = {
            "c": done.chosen["c"],
            "validation_accuracy": done.chosen["validation_accuracy"],
            "validation_loss": done.chosen["validation_loss"],
            "parameters": done.model.parameters,
            "train_seconds": done.chosen["seconds"],
        }
        for key, value in report.items():
            client.log_metric(run_id, f"best_{key}" if key.startswith("validation_") else key, value)
    return {**report, "candidates": done.candidates, "run_id": run_id}
