"""The report as one HTML page that needs nothing beside it: figures stand inside, and no script runs."""

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined

from sentiment_rnn.evaluation import slices

LABELS = ("negative", "positive")
MEASURES = {  # by key: the name, and whether it is a share, which people read in percent
    "accuracy": ("accuracy, %", True),
    "f1": ("F1, %", True),
    "roc_auc": ("ROC AUC", False),
    "average_precision": ("average precision", False),
    "log_loss": ("log loss", False),
    "ece": ("ECE", False),
}


def render(facts: Mapping[str, Any], findings: Mapping[str, Any], figures: Mapping[str, Path]) -> str:
    """Fill the page.

    Args:
        facts: dataset, model, version, architecture, own (the version's name in `findings`), previous (the name of the
            champion before it, or None), verdict, champion (whether it is now), run_id, reproduce (the command).
        findings: what `findings.find` found.
        figures: PNG files, by name.
    """
    environment = Environment(
        loader=PackageLoader("sentiment_rnn.evaluation", "."),
        autoescape=True,  # reviews are anybody's text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"percent": _percent, "points": _points, "p_value": _p_value}
    return environment.get_template("page.html.j2").render(
        facts=facts,
        found=findings,
        pictures={name: _inside(path) for name, path in figures.items()},
        measures=MEASURES,
        labels=LABELS,
        negation=sorted(slices.NEGATION),
        contrast=sorted(slices.CONTRAST),
    )


def _inside(path: Path) -> str:
    return f"data:image/png;base64,{base64.b64encode(path.read_bytes()).decode()}"


def _percent(share: float, digits: int = 2) -> str:
    return f"{100 * share:.{digits}f}"


def _points(difference: float) -> str:
    return f"{100 * difference:+.2f}".replace("-", "\N{MINUS SIGN}")


def _p_value(p: float) -> str:
    return "< 0.0001" if p < 0.0001 else f"{p:.4f}"
