"""Stage evaluate: the registered version, loaded from the registry, on the raw test texts; the alias `champion`.

`python -m pipeline.evaluate best` does so for what the recipe `best` registered, in best/reports.
"""

import time
from pathlib import Path

import numpy as np
from tqdm import tqdm

from pipeline import home, recipe_named
from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.evaluation import latency, plots, trained
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect

CHUNK = 1_000  # reviews a call: the progress bar's step


def main(recipe: str | None = None) -> None:
    gate = params.load().registry.gate
    reports = Path(recipe or "", "reports")
    registered = read_json(reports / "registered.json")
    name, version, run_id = registered["model"], registered["version"], registered["run_id"]
    identity = store.load_identity("data/raw")
    test = store.load_split("data/raw", "test")

    client = connect()
    model = registry.load(name, version)
    positive = np.array(
        [
            answer["probability"]
            for start in tqdm(range(0, len(test.texts), CHUNK), desc=f"{name} version {version}", unit="k reviews")
            for answer in model.predict(test.texts[start : start + CHUNK])
        ]
    )
    labels = np.array(test.labels)
    metrics = evaluate(positive, labels) | {"ece": expected_calibration_error(positive, labels)}

    # in processor time: a machine that is busy with other work should not decide who is champion
    one_review = float(np.median(latency.of_one_review(model.predict, test.texts, clock=time.process_time)))
    verdict = promotion.promote(
        client,
        name,
        version,
        {
            "dataset": registered["dataset"],
            "test.fingerprint": identity["fingerprints"]["test"],
            "test.accuracy": f"{metrics['accuracy']:.6f}",
            "test.ece": f"{metrics['ece']:.6f}",
            "latency_ms": f"{one_review:.2f}",
        },
        gate,
    )
    report = {
        "dataset": identity["dataset"],
        "model": name,
        "version": version,
        "architecture": registered["architecture"],
        **metrics,
        "latency_ms": one_review,
        "champion": verdict.promoted,
        "verdict": verdict.reason,
    }
    if len(registered["seeds"]) > 1:
        report["accuracy_of_each_seed"] = [alone(registered["architecture"], seed) for seed in registered["seeds"]]
    write_json(reports / "evaluation.json", report)
    folder = reports / "evaluation"
    folder.mkdir(exist_ok=True)
    for file, figure in plots.evaluation(positive, labels).items():
        figure.savefig(folder / file, dpi=120)
        client.log_figure(run_id, figure, f"evaluation/{file}")
    for measure in ("f1", "roc_auc", "log_loss", "ece"):
        client.log_metric(run_id, f"registered_test_{measure}", metrics[measure])
    client.log_dict(run_id, report, "evaluation/evaluation.json")
    low, high = metrics["accuracy_interval"]
    print(f"{name} version {version} on {identity['dataset']}'s {metrics['n']:,} test reviews: ")
    print(f"accuracy {metrics['accuracy']:.4f} (95% {low:.4f} to {high:.4f}), ECE {metrics['ece']:.4f}")
    if each := report.get("accuracy_of_each_seed"):
        print(f"each seed alone: {', '.join(f'{accuracy:.4f}' for accuracy in each)}, mean {np.mean(each):.4f}")
    print(f"{'now' if verdict.promoted else 'not'} champion: {verdict.reason}")
    if identity["dataset"] != "imdb":
        print("This is the generated sample, not IMDB: these figures say nothing about IMDB.")


def alone(name: str, seed: int) -> float:
    """Test accuracy of one of an average's models."""
    logits, labels = trained.network(home(name) / f"models/{name}/seed-{seed}", Path("data/tokens"), "test")
    return evaluate(probabilities(logits), labels)["accuracy"]  # type: ignore[no-any-return]


if __name__ == "__main__":
    main(recipe_named())
