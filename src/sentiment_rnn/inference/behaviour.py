"""Run the behaviour suite on the family and the linear baselines."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from sentiment_rnn.baselines import model as baselines
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.evaluation.behaviour.comparison import markdown
from sentiment_rnn.evaluation.behaviour.failures import Predict, by_capability, run
from sentiment_rnn.evaluation.metrics import probabilities
from sentiment_rnn.files import atomic_file, read_json, write_json
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.params import BASELINES, Params
from sentiment_rnn.tracking import runs
from sentiment_rnn.tracking.store import connect


def behaviour(params: Params, *, tokens: Path, models: Path, reports: Path) -> None:
    """Write the failure rates of every trained model to `reports/behaviour.{json,md}`, and log them to its run.

    Args:
        params: `architectures` is used.
        tokens: folder of the tokenize stage.
        models: folder of all trained models.
        reports: contains the training reports, in `train/`.

    Raises:
        UserError: a model is missing or corrupt.
    """
    dataset, client = load_identity(tokens)["dataset"], connect()
    failures = {}
    for path in [*map(params.path_of, params.architectures), *(f"baselines/{name}" for name in BASELINES)]:
        trained = read_json(reports / "train" / f"{path}.json")
        name, seed = trained["architecture"], trained["seeds"][0]
        failures[name] = run(_predict(models / path, seed, tokens))
        rates = by_capability(failures[name])
        if runs.exists(client, seed["run_id"]):
            for capability, rate in rates.items():
                client.log_metric(seed["run_id"], f"behaviour_failure_rate_{capability}", rate)
        print(f"{name}: fails {100 * rates['negation']:.1f}% of the negations", flush=True)
    write_json(reports / "behaviour.json", {"dataset": dataset, "models": failures})
    with atomic_file(reports / "behaviour.md") as file:
        file.write(table := markdown(failures, dataset))
    print(table)


def _predict(folder: Path, seed: Mapping[str, Any], tokens: Path) -> Predict:
    """A trained model's probabilities of "positive" of raw texts; a baseline's entry in the report has no seed."""
    if "seed" not in seed:
        baseline = baselines.load(folder)
        return lambda texts: probabilities(baseline.logits(texts))
    return Predictor(folder / f"seed-{seed['seed']}", tokens / "tokenizer.json").predict_probabilities
