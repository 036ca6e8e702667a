"""The report as one self-contained HTML page: figures are embedded, and it has no scripts."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sentiment_rnn.evaluation import slices
from sentiment_rnn.evaluation.behaviour.failures import TOLERANCE

METRICS = {  # by key: the name, and whether it is shown in percent
    "accuracy": ("accuracy, %", True),
    "f1": ("F1, %", True),
    "roc_auc": ("ROC AUC", False),
    "average_precision": ("average precision", False),
    "log_loss": ("log loss", False),
    "ece": ("ECE", False),
}


def render(facts: Mapping[str, Any], report: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    """Fill in the template.

    Args:
        facts: dataset, class_names (of the labels 0 and 1), model (the registered model's name), version, architecture,
            n (test reviews), candidate (the version's name in `report`), previous (the previous champion's, or None),
            champion (whether this version is it now), verdict (of the promotion), test_readings (versions evaluated on
            this test split so far), run_id, reproduce (the command).
        report: from `report.compute_report`.
        figures: PNG files, by name.
    """
    environment = Environment(
        loader=PackageLoader("sentiment_rnn.evaluation", "."),
        autoescape=True,  # reviews are untrusted text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "percent": _percent,
        "percentage_points": _percentage_points,
        "p_value": _p_value,
        "file_name": slices.file_name,
    }
    return environment.get_template("page.html.j2").render(
        facts=facts,
        report=report,
        figures={name: _data_url(path) for name, path in figures.items()},
        metrics=METRICS,
        class_names=facts["class_names"],
        column_slices=[name for name in report["slices"] if name not in slices.OF_TEXT],
        tolerance=TOLERANCE,
        min_reviews=slices.MIN_REVIEWS,
        negation=sorted(slices.NEGATION),
        contrast=sorted(slices.CONTRAST),
    )


def _data_url(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _percent(fraction: float, digits: int = 2) -> str:
    return f"{100 * fraction:.{digits}f}"


def _percentage_points(difference: float) -> str:
    return f"{100 * difference:+.2f}".replace("-", "\N{MINUS SIGN}")


def _p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
