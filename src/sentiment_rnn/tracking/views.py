"""Saved views of MLflow's experiment pages: columns, order and charts.

A view is a tag of the experiment, in the format of MLflow's *Save as new view*. Without one the page shows neither
metrics nor parameters as columns, and a chart for every metric, in alphabetical order.
"""

import json
from typing import Any

from sentiment_rnn.tracking import descriptions

PREFIX = "mlflow.sharedViewState."
KINDS = {  # descriptions, by the suffix of the experiment's name
    "": "Trainings of architectures, one run for each seed",
    "search": "Hyperparameter searches: one run for each study, with a child run for each trial",
    "claims": "The trainings of `reports/claims.md`",
    "ablation": "The trainings of `reports/ablation.md`",
}


def tags(experiment: str) -> dict[str, str]:
    """The tags of a new experiment, `DATASET` or `DATASET-KIND`: its description and its view."""
    dataset, _, kind = experiment.rpartition("-")
    if kind not in KINDS or not dataset:
        dataset, kind = experiment, ""
    found = {
        "mlflow.experimentKind": "custom_model_development",
        "mlflow.note.content": f"{KINDS[kind]}, on {descriptions.corpus(dataset)}.",
    }
    if make := {"": _architectures, "search": _trials}.get(kind):
        found["mlflow.note.content"] += " *Views* has a comparison."
        view = make()
        found[PREFIX + view["name"]] = json.dumps(view)
    return found


def _architectures() -> dict[str, Any]:
    accuracy = _metric("final_test_accuracy")
    return _view(
        "architectures",
        filtered="attributes.status = 'FINISHED'",
        order=(accuracy, False),
        columns=[
            accuracy,
            *map(_metric, ("best_validation_accuracy", "best_validation_loss", "parameters", "train_seconds")),
            *map(_param, ("cell", "bidirectional", "num_layers", "hidden_size")),
        ],
        charts=[
            _bar("final_test_accuracy"),
            _bar("best_validation_accuracy"),
            _scatter("train_seconds", "METRIC", "final_test_accuracy"),
            _line("validation_loss"),
            _line("train_loss"),
            _bar("mean_epoch_seconds"),
        ],
    )


def _trials() -> dict[str, Any]:
    loss = _metric("best_validation_loss")
    space = ["learning_rate", "dropout", "embedding_dropout", "word_dropout"]
    return _view(
        "trials",
        filtered="tags.trial != ''",
        order=(loss, True),
        columns=[
            "tags.`architecture`",
            "tags.`trial.state`",
            loss,
            _metric("fit_seconds"),
            *map(_param, space),
        ],
        charts=[
            _chart("PARALLEL", selectedParams=space, selectedMetrics=["best_validation_loss"], showAllRuns=False),
            *(_scatter(key, "PARAM", "best_validation_loss") for key in space),
            _line("validation_loss"),
        ],
    )


def _view(
    name: str, *, filtered: str, order: tuple[str, bool], columns: list[str], charts: list[dict[str, Any]]
) -> dict[str, Any]:
    state = {
        "searchFilter": filtered,
        "orderByKey": order[0],
        "orderByAsc": order[1],
        "selectedColumns": columns,
        "columnOrder": columns,
        "columnWidths": {
            column: 40 + 7 * len(column.split("`")[1]) for column in columns
        },  # otherwise names are truncated
        "runsHiddenMode": "SHOW_ALL",
        "compareRunSections": [{"uuid": name, "name": name.capitalize(), "display": True, "isReordered": True}],
        "compareRunCharts": [
            {"uuid": f"{name}-{index}", "metricSectionId": name} | chart for index, chart in enumerate(charts)
        ],
        "isAccordionReordered": True,
    }
    return {"name": name, "createdAt": 0, "updatedAt": 0, "state": json.dumps(state)}


def _metric(name: str) -> str:
    return f"metrics.`{name}`"


def _param(name: str) -> str:
    return f"params.`{name}`"


def _chart(kind: str, **more: Any) -> dict[str, Any]:
    return {"type": kind, "runsCountToCompare": 100, "deleted": False, "isGenerated": False, **more}


def _bar(metric: str) -> dict[str, Any]:
    return _chart("BAR", metricKey=metric)


def _line(metric: str) -> dict[str, Any]:
    return _chart(
        "LINE", metricKey=metric, selectedMetricKeys=[metric], yAxisKey="metric", yAxisExpressions=[], xAxisKey="step",
        selectedXAxisMetricKey="", xAxisScaleType="linear", scaleType="linear", range={}, lineSmoothness=0,
        useGlobalXaxisKey=True, useGlobalLineSmoothing=True,
    )  # fmt: skip


def _scatter(x: str, kind: str, metric: str) -> dict[str, Any]:
    return _chart("SCATTER", xaxis={"key": x, "type": kind}, yaxis={"key": metric, "type": "METRIC"})
