"""reports/claims.md: what the documents claim, what was measured, what to make of it."""

from collections.abc import Sequence
from statistics import mean, stdev

from sentiment_rnn.claims.claims import Finding
from sentiment_rnn.claims.plan import COMPARED
from sentiment_rnn.claims.results import Results
from sentiment_rnn.params import ClaimsParams

SIGNS = {"holds": "**holds**", "does not hold": "**does not hold**", "undecided": "undecided"}


def write(
    findings: Sequence[Finding], results: Results, params: ClaimsParams, dataset: str, machine: str, precision: str
) -> str:
    """The report as Markdown; its pictures are beside it, in claims/."""
    sections = [
        _head(params, dataset, machine, precision),
        _summary(findings),
        "![Every difference in accuracy with its interval](claims/effects.png)\n",
        "## Claim by claim\n",
        *(_section(finding) for finding in findings),
        _table(results),
        TRACING,
    ]
    return "\n".join(sections)


def _head(params: ClaimsParams, dataset: str, machine: str, precision: str) -> str:
    reviews = "IMDB" if dataset == "imdb" else "the generated sample, which is **not IMDB**"
    return f"""# What the documents claim, measured

Written by `make claims` on {reviews}, on {machine}, in {precision}. On a GPU: {_on_gpu(machine)}.

- Each comparison changes one thing. Everything else (embedding, pooling, dropout, optimizer, batches, epochs) is what
  params.yaml gives to all, cut to {params.model.get("max_length", "their")} tokens a review and
  {params.model.get("max_epochs", "their")} epochs: short trainings, so that there can be many. Accuracies are
  therefore below those of the pipeline's own comparison, and nothing was searched for any of them.
- {len(params.seeds)} seeds each, the same ones on both sides. An effect is the mean difference of trainings with the
  same seed, its interval the 95% one of Student's t over the seeds: it says how far other seeds might move it. Test is
  scored once, after the last epoch; nothing is chosen by it.
- **Holds**: the whole interval lies on the claim's side. **Does not hold**: no effect worth the name (half a point of
  accuracy, a twentieth of the time, a tenth of a power of ten) lies in the interval. **Undecided**: both are possible
  with so many seeds; `claims.seeds` takes more. A claim of several comparisons holds if all of them do.
"""


def _on_gpu(machine: str) -> str:
    return "not measured" if " cores of " in machine else "that is where this was measured"


def _summary(findings: Sequence[Finding]) -> str:
    lines = ["| claim | verdict | measured (95% interval) |", "|---|---|---|"]
    for finding in findings:
        measured = "<br>".join(f"{effect.what}: {effect}{_short(effect.unit.name)}" for effect in finding.effects)
        lines.append(f"| [{finding.claim.says}](#{finding.claim.id}) | {SIGNS[finding.verdict]} | {measured} |")
    return "\n".join(lines) + "\n"


def _short(unit: str) -> str:
    return {"times": " times", "powers of ten": " powers of ten"}.get(unit, " points")


def _section(finding: Finding) -> str:
    claim = finding.claim
    lines = [f'<a id="{claim.id}"></a>', f"### {claim.says}", "", claim.how, ""]
    lines += ["| | mean (95% interval) | each | verdict |", "|---|---|---|---|"]
    for effect in finding.effects:
        each = ", ".join(f"{value:{effect.unit.format}}" for value in effect.values[:6])
        more = ", ..." if len(effect.values) > 6 else ""
        lines.append(f"| {effect.what} | {effect} {effect.unit.name} | {each}{more} | {effect.verdict} |")
    lines += ["", f"Verdict: {SIGNS[finding.verdict]}. Runs: tag `claim.{claim.id}`, {len(finding.run_ids)} of them."]
    if claim.plot:
        lines += ["", f"![{claim.says}](claims/{claim.plot})"]
    return "\n".join(lines) + "\n"


def _table(results: Results) -> str:
    lines = [
        "## The trainings on all of train",
        "",
        "| architecture | test accuracy, % (mean ± standard deviation) | weights without the embedding | seeds |",
        "|---|---|---|---|",
    ]
    rows = [(name, results.metric(name), results.metric(name, "weights")) for name in COMPARED]
    for name, accuracies, weights in sorted(rows, key=lambda row: -mean(row[1])):
        accuracy = f"{100 * mean(accuracies):.2f} ± {100 * stdev(accuracies):.2f}"
        lines.append(f"| {name} | {accuracy} | {weights[0]:,.0f} | {len(accuracies)} |")
    return "\n".join(lines) + "\n"


TRACING = """## From a figure to its runs

`make ui` shows the trainings in the experiment whose name ends in `-claims`. Search for
``tags.`claim.stacking` = "yes"`` to see those that a claim rests on; `architecture` and `seed` are tags too, and every
run has its parameters and its curves. Every value above is in `reports/claims.json`, beside the ids of its runs.

A training is found again by what it is made of (parameters, precision, data): `make claims` runs what is missing, and
what was stopped; change `claims:` in params.yaml and it runs what that adds.
"""
