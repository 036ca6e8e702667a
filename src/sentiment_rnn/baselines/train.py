"""The stage baseline: train a linear baseline in an MLflow run, write the model."""

from pathlib import Path
from typing import Any

from sentiment_rnn.baselines import model
from sentiment_rnn.baselines.fit import fit
from sentiment_rnn.data import texts
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation.metrics import training_report
from sentiment_rnn.params import BaselineParams
from sentiment_rnn.tracking.stage_run import stage_run


def train(
    name: str, params: BaselineParams, *, raw: Path, tokens: Path, out: Path, work: Path = Path("work/baseline")
) -> dict[str, Any]:
    """Fit a baseline, select C on validation, write the model.

    Args:
        name: of the baseline.
        params: its parameters.
        raw: folder of the download stage.
        tokens: folder of the tokenize stage, which defines the splits.
        out: folder of the model.
        work: folder for the ids of running MLflow runs.

    Returns:
        The report.

    Raises:
        UserError: the splits are missing, or no n-gram is frequent enough.
    """
    splits = {split: texts.load(raw, tokens, split) for split in ("train", "validation")}
    identity = load_identity(tokens)
    tags = {"architecture": name, "protocol": "baseline", "reproduce": f"dvc repro baseline@{name}"}
    with stage_run(work / f"{name}.json", name, params=params.model_dump(), tags=tags, identity=identity) as (
        client,
        run_id,
    ):
        fitted = fit(name, params, **splits)
        model.save(fitted.model, out)
        for file in sorted(out.iterdir()):
            client.log_artifact(run_id, str(file), "model")
        metrics = {
            "C": fitted.chosen["C"],
            "validation_accuracy": fitted.chosen["validation_accuracy"],
            "validation_loss": fitted.chosen["validation_loss"],
            "parameters": fitted.model.parameters,
            "train_seconds": fitted.chosen["seconds"],
        }
        for key, value in metrics.items():
            client.log_metric(run_id, f"best_{key}" if key.startswith("validation_") else key, value)
    seed = {**metrics, "candidates": fitted.candidates, "run_id": run_id}
    return training_report(name, identity["dataset"], "baseline", [seed])
