"""Stage evaluate: the registered version on the raw test texts, a report on it, and the alias `champion`.

It is loaded from the registry. `python -m pipeline.evaluate best` does so for what the recipe `best` registered, in
best/reports.
"""

import time
from pathlib import Path

import numpy as np

from pipeline import home, recipe_named
from sentiment_rnn import params
from sentiment_rnn.data import store
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation import latency, trained
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import saved
from sentiment_rnn.report import champion, predictions
from sentiment_rnn.report.write import PAGE, write
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect


def main(recipe: str | None = None) -> None:
    chosen = params.load()
    reports = Path(recipe or "", "reports")
    registered = read_json(reports / "registered.json")
    name, version, run_id = registered["model"], registered["version"], registered["run_id"]
    identity = store.load_identity("data/raw")
    test = store.load_split("data/raw", "test")
    labels = np.array(test.labels)
    rivals = {rival: rival_said(rival, test) for rival in chosen.linear.rivals}

    client = connect()
    model = registry.load(name, version)
    positive = predictions.ask(model, test.texts, f"{name} version {version}")
    champion.keep(client, run_id, version, positive, test)
    metrics = evaluate(positive, labels) | {"ece": expected_calibration_error(positive, labels)}

    tested = {"dataset": registered["dataset"], "test.fingerprint": identity["fingerprints"]["test"]}
    own, said = called(registered["architecture"], version), {}
    before = champion.previous(client, name, version, tested)
    previous = called(before.tags["architecture"], before.version) if before else None
    if before:
        said[previous] = champion.said(client, before, test)
    # in processor time: a machine that is busy with other work should not decide who is champion
    one_review = float(np.median(latency.of_one_review(model.predict, test.texts, clock=time.process_time)))
    measured = {
        "test.accuracy": f"{metrics['accuracy']:.6f}",
        "test.ece": f"{metrics['ece']:.6f}",
        "latency_ms": f"{one_review:.2f}",
    }
    verdict = promotion.promote(client, name, version, {**tested, **measured}, chosen.registry.gate)
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
    found = write(
        reports / "evaluation",
        {
            **report,
            "own": own,
            "previous": previous,
            "run_id": run_id,
            "reproduce": f"dvc repro {f'{recipe}/dvc.yaml:' if recipe else ''}evaluate",
        },
        {own: positive, **said, **rivals},
        list(rivals),
        test,
        registered["temperature"],
        lambda texts: predictions.ask(model, texts, "errors without a word"),
    )
    report |= {
        "average_precision": found["measures"][own]["values"]["average_precision"],
        "bootstrap_intervals": found["measures"][own]["intervals"],
        "ece_before_temperature": found["calibration"]["before"]["ece"],
        "previous_champion": previous,
        "against": {
            "previous_champion" if other == previous else other: {
                key: one[key] for key in ("difference", "difference_interval", "p")
            }
            for other, one in found["against"].items()
        },
        "doubtful_labels": found["noise"]["suspects"],
    }
    if len(registered["seeds"]) > 1:
        report["accuracy_of_each_seed"] = [alone(registered["architecture"], seed) for seed in registered["seeds"]]
    write_json(reports / "evaluation.json", report)
    for file in sorted((reports / "evaluation").iterdir()):
        client.log_artifact(run_id, str(file), champion.FOLDER)
    for measure in ("f1", "roc_auc", "average_precision", "log_loss", "ece"):
        client.log_metric(run_id, f"registered_test_{measure}", report[measure])
    client.log_dict(run_id, report, f"{champion.FOLDER}/evaluation.json")
    low, high = metrics["accuracy_interval"]
    print(f"{name} version {version} on {identity['dataset']}'s {metrics['n']:,} test reviews: ")
    print(f"accuracy {metrics['accuracy']:.4f} (95% {low:.4f} to {high:.4f}), ECE {metrics['ece']:.4f}")
    for other, one in found["against"].items():
        print(f"against {other}: {100 * one['difference']:+.2f} points, McNemar's p {one['p']:.2g}")
    if each := report.get("accuracy_of_each_seed"):
        print(f"each seed alone: {', '.join(f'{accuracy:.4f}' for accuracy in each)}, mean {np.mean(each):.4f}")
    print(f"{'now' if verdict.promoted else 'not'} champion: {verdict.reason}")
    print(f"the report: {reports / 'evaluation' / PAGE}")
    if identity["dataset"] != "imdb":
        print("This is the generated sample, not IMDB: these figures say nothing about IMDB.")


def called(architecture: str, version: int | str) -> str:
    """A version's name in the report."""
    return f"{architecture}, version {version}"


def rival_said(name: str, test: Split) -> np.ndarray:
    """What the stage predict kept of a linear rival.

    Raises:
        UserError: nothing, or of other reviews.
    """
    path = Path(f"data/predicted/{name}.parquet")
    kept = predictions.load(path, test) if path.is_file() else None
    if kept is None:
        raise UserError(f"{path} is not there, or is of other reviews: run `dvc repro predict@{name}`")
    return kept.positive


def alone(name: str, seed: int) -> float:
    """Test accuracy of one of an average's models."""
    folder = saved.final(home(name) / f"models/{name}/seed-{seed}")
    logits, labels = trained.network(folder, Path("data/tokens"), "test")
    return evaluate(probabilities(logits), labels)["accuracy"]  # type: ignore[no-any-return]


if __name__ == "__main__":
    main(recipe_named())
