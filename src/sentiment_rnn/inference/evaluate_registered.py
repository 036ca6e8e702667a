"""Evaluate the registered version on the raw test texts, decide whether it becomes champion, write the report."""

import time
from pathlib import Path
from typing import Any

import numpy as np

from sentiment_rnn.data import predictions, store
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.behaviour.failures import by_capability
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.evaluation.report import write_report
from sentiment_rnn.evaluation.significance import mcnemar
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import champion, latency, serialization
from sentiment_rnn.inference.logits import network_logits
from sentiment_rnn.params import BASELINES, Params, SyntheticDataset
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect


def evaluate_registered(
    params: Params, *, raw: Path, tokens: Path, models: Path, baseline_predictions: Path, reports: Path
) -> None:
    """Load the version from the registry, evaluate it, write `reports/evaluation` with its .html and .json.

    The same version again gives the same report, apart from its latency.

    Args:
        params: `registry`, and the data set's entry, are used.
        raw: folder of the download stage.
        tokens: folder of the tokenize stage.
        models: folder of all trained models; each member of an ensemble is evaluated alone, too.
        baseline_predictions: folder of the stage baseline_predictions.
        reports: contains `registered.json`, written by the stage register.

    Raises:
        UserError: an input is missing, or the version cannot be loaded.
    """
    registered = read_json(reports / "registered.json")
    name, version, run_id = registered["model"], registered["version"], registered["run_id"]
    test, test_hash = store.load_split(raw, "test"), store.load_identity(raw)["content_hashes"]["test"]
    labels = np.array(test.labels)
    baselines = {baseline: _baseline(baseline_predictions, baseline, test) for baseline in BASELINES}

    client = connect()
    model = registry.load(name, version)
    positive = predictions.predict(model, test.texts, f"{name} version {version}")
    champion.save_predictions(client, run_id, version, positive, test)
    metrics = evaluate(positive, labels) | {"ece": expected_calibration_error(positive, labels)}
    # processor time: other processes on the machine should not decide which version is champion
    milliseconds = float(np.median(latency.single_review(model.predict, test.texts, clock=time.process_time)))

    candidate = f"{registered['architecture']}, version {version}"
    previous, previous_name, p = champion.previous(client, name, version, test_hash), None, None
    networks = {candidate: positive}
    if previous and not registry.is_loadable(previous):
        print(f"{name} version {previous.version} cannot be loaded: there is no previous champion to compare with")
        previous = None
    if previous:
        previous_name = f"{previous.tags['architecture']}, version {previous.version}"
        networks[previous_name] = champion.predictions_of(client, previous, test)
        p = mcnemar(*((each >= 0.5) == (labels > 0.5) for each in networks.values())).p
    tags = {
        "dataset": registered["dataset"],
        "test.content_hash": test_hash,
        "test.n": str(metrics["n"]),
        "test.accuracy": f"{metrics['accuracy']:.6f}",
        "test.accuracy_interval": " to ".join(f"{bound:.6f}" for bound in metrics["accuracy_interval"]),
        "test.loss": f"{metrics['log_loss']:.6f}",
        "test.ece": f"{metrics['ece']:.6f}",
        "latency_ms": f"{milliseconds:.2f}",
    }
    verdict = promotion.promote(client, name, version, tags, params.registry.gate, p)

    summary = {
        "dataset": registered["dataset"],
        "model": name,
        "version": version,
        "architecture": registered["architecture"],
        **metrics,
        "latency_ms": milliseconds,
        "test_readings": registry.count_test_reading(client, name, version, test_hash),
        "champion": verdict.promoted,
        "verdict": verdict.reason,
    }
    details = {
        "candidate": candidate,
        "previous": previous_name,
        "run_id": run_id,
        "reproduce": "dvc repro evaluate",
        "class_names": params.dataset.class_names,
    }
    report = write_report(
        reports / "evaluation",
        summary | details,
        networks | baselines,
        list(baselines),
        test,
        registered["temperature"],
        lambda texts: predictions.predict(model, texts, "occlusion and behaviour"),
        [] if isinstance(params.dataset, SyntheticDataset) else params.dataset.slices,
    )
    summary |= {
        "average_precision": report["measures"][candidate]["values"]["average_precision"],
        "bootstrap_intervals": report["measures"][candidate]["intervals"],
        "ece_before_temperature": report["calibration"]["before"]["ece"],
        "previous_champion": previous_name,
        "comparison": {
            "previous_champion" if other == previous_name else other: {
                key: row[key] for key in ("difference", "difference_interval", "p")
            }
            for other, row in report["comparison"].items()
        },
        "label_issues": report["label_issues"]["count"],
        "behaviour_failure_rates": by_capability(report["behaviour"]),
        "short_texts": report["behaviour"]["short_texts"],
    }
    for capability, rate in summary["behaviour_failure_rates"].items():
        client.set_model_version_tag(name, version, f"behaviour.{capability}", f"{rate:.4f}")
        client.log_metric(run_id, f"registered_behaviour_failure_rate_{capability}", rate)
    for key in ("accuracy", "mean_confidence", "ece"):
        client.set_model_version_tag(name, version, f"short_texts.{key}", f"{summary['short_texts'][key]:.4f}")
    registry.update_model_card(client, name, version)
    if registered["members"] > 1:
        folder = models / params.registry.candidate
        summary["seed_accuracies"] = [_seed_accuracy(folder / f"seed-{seed}", tokens) for seed in registered["seeds"]]
    write_json(reports / "evaluation.json", summary)
    client.log_artifacts(run_id, str(reports / "evaluation"), champion.FOLDER)
    for file in ("evaluation.html", "evaluation.json"):
        client.log_artifact(run_id, str(reports / file), champion.FOLDER)
    for key in ("f1", "roc_auc", "average_precision", "log_loss", "ece"):
        client.log_metric(run_id, f"registered_test_{key}", summary[key])
    _print(summary, report["comparison"], reports / "evaluation.html")


def _baseline(folder: Path, name: str, test: Split) -> np.ndarray:
    """A baseline's probabilities of "positive" on test, written by the stage baseline_predictions."""
    path = folder / f"{name}.parquet"
    found = predictions.load(path, test) if path.is_file() else None
    if found is None:
        raise UserError(f"{path} is missing, or belongs to other reviews: run `dvc repro baseline_predictions@{name}`")
    return found.positive


def _seed_accuracy(folder: Path, tokens: Path) -> float:
    """Test accuracy of one member of an ensemble."""
    logits, labels = network_logits(serialization.final(folder), tokens, "test")
    return float(evaluate(probabilities(logits), labels)["accuracy"])


def _print(summary: dict[str, Any], comparison: dict[str, Any], page: Path) -> None:
    low, high = summary["accuracy_interval"]
    print(
        f"{summary['model']} version {summary['version']} on the {summary['n']:,} test reviews of {summary['dataset']}:"
    )
    print(f"accuracy {summary['accuracy']:.4f} (95% {low:.4f} to {high:.4f}), ECE {summary['ece']:.4f}")
    for other, row in comparison.items():
        print(f"difference to {other}: {100 * row['difference']:+.2f} percentage points, McNemar's p {row['p']:.2g}")
    if each := summary.get("seed_accuracies"):
        print(f"each seed alone: {', '.join(f'{accuracy:.4f}' for accuracy in each)}, mean {np.mean(each):.4f}")
    negations = 100 * summary["behaviour_failure_rates"]["negation"]
    print(f"behaviour suite: fails {negations:.1f}% of the negations; all failure rates are in the report")
    print(f"{'champion' if summary['champion'] else 'not champion'}: {summary['verdict']}")
    print(f"report: {page}")
