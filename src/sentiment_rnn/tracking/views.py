"""The table and the charts that MLflow's page of an experiment offers under *Views*.

A view is a tag of the experiment, as MLflow's own page writes it when one presses *Save as new view*. Without one the
page shows neither an accuracy nor a parameter, and a chart for every metric there is, in the order of the alphabet.
"""

import json
from typing import Any

from sentiment_rnn.tracking import descriptions

PREFIX = "mlflow.sharedViewState."
KINDS = {  # the experiment's name after the corpus's
    "": "Every training of an architecture, a run for each seed",
    "search": "The searches: a run for each study, and below it a run for each trial",
    "claims": "The trainings behind `reports/claims.md`",
    "pretrain": "What was learned before a label was seen",
    "ablation": "The trainings behind `reports/ablation.md`",
}


def tags(experiment: str) -> dict[str, str]:
    """What a new experiment says of itself as tags, and its view where it has one."""
    dataset, _, kind = experiment.partition("-")
    told = {"mlflow.experimentKind": "custom_model_development"}
    if kind in KINDS:
        told["mlflow.note.content"] = f"{KINDS[kind]}, on {descriptions.corpus(dataset)}."
    if view := {"": _architectures, "search": _trials}.get(kind):
        told["mlflow.note.content"] += " *Views* has them side by side."
        made = view()
        told[PREFIX + made["name"]] = json.dumps(made)
    return told


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
        "columnWidths": {column: 40 + 7 * len(column.split("`")[1]) for column in columns},  # or names are cut off
        "runsHiddenMode": "SHOW_ALL",
        "compareRunSections": [{"uuid": name, "name": name.capitalize(), "display": True, "isReordered": True}],
        "compareRunCharts": [
            {"uuid": f"{name}-{place}", "metricSectionId": name} | chart for place, chart in enumerate(charts)
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
