"""The table of all networks and baselines on the suite."""

from collections.abc import Mapping
from typing import Any


def markdown(reports: Mapping[str, Mapping[str, Any]], dataset: str) -> str:
    """Failure rates by capability, the models that fail least at negation first.

    Args:
        reports: from `failures.run`, by model.
        dataset: on which the models were trained.
    """
    rows = {
        name: {row["capability"]: row for row in report["capabilities"]}
        for name, report in sorted(reports.items(), key=lambda item: _negation(item[1]))
    }
    columns = next(iter(rows.values()))
    cases = sum(row["cases"] for row in columns.values())
    widest = max(
        row["interval"][1] - row["interval"][0] for name in rows for row in rows[name].values() if row["cases"] > 8
    )
    lines = [
        f"Data set: {dataset}. Failure rates in percent on {cases:,} cases of the behaviour suite",
        "(docs/evaluation.md), which is written for English opinions on films. 95% intervals (Wilson) are at most",
        f"{100 * widest:.0f} percentage points wide, those of the 8 first sentences wider. The rate of each test, its",
        "interval and its worst failures are in behaviour.json. A network is its first seed.",
        "",
        "| model | " + " | ".join(f"{name} ({row['cases']})" for name, row in columns.items()) + " |",
        "|---" + "|---:" * len(columns) + "|",
    ]
    for name, by_capability in rows.items():
        rates = [f"{100 * by_capability[column]['failure_rate']:.1f}" for column in columns]
        lines.append(f"| {name} | {' | '.join(rates)} |")
    return "\n".join(lines) + "\n"


def _negation(report: Mapping[str, Any]) -> float:
    return next(float(row["failure_rate"]) for row in report["capabilities"] if row["capability"] == "negation")
