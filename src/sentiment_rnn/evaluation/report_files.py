"""The report's folder: the page, its figures, and what DVC draws of them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib import pyplot as plt

from sentiment_rnn.data.corpus import Split
from sentiment_rnn.evaluation import figures, page, tables
from sentiment_rnn.evaluation.report import compute_report
from sentiment_rnn.files import atomic_folder

PAGE = "index.html"


def write_report(
    folder: Path,
    facts: Mapping[str, Any],
    said: Mapping[str, np.ndarray],
    baselines: Sequence[str],
    test: Split,
    temperature: float,
    ask: Callable[[list[str]], np.ndarray],
) -> dict[str, Any]:
    """Find out all there is to report, and write it to `folder`, whole or not at all.

    Args:
        folder: what was there is replaced.
        facts: what `page.render` says of the version; `own` is its name in `said`.
        said: probabilities of "positive" `(N,)` by model, the version's own first.
        baselines: the linear ones among the models.
        test: the N reviews.
        temperature: what the version's logits were divided by.
        ask: the version's probability of "positive" for each of some texts.

    Returns:
        What was found.
    """
    labels = np.array(test.labels)
    findings = compute_report(said, baselines, labels, test.texts, temperature, ask)
    subject = f"{facts['dataset']}, test"
    with atomic_folder(folder) as partial:
        pictures = {}
        for name, figure in figures.draw(said, labels, findings, subject).items():
            pictures[name] = partial / name
            figure.savefig(pictures[name], dpi=110)
            plt.close(figure)
        tables.write(said[facts["candidate"]], labels, findings, facts["candidate"], partial)
        (partial / PAGE).write_text(page.render(facts, findings, pictures), encoding="utf-8")
    return findings
