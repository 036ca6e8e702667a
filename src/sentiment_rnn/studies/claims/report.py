"""reports/claims.md: what the documents claim, what was measured, what to make of it."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.claims import OVERVIEW, Finding
from sentiment_rnn.studies.claims.plan import COMPARED
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.training.devices import gpus, machine, resolve_precision

SIGNS = {"supported": "**supported**", "not supported": "**not supported**", "inconclusive": "inconclusive"}


def values(findings: Sequence[Finding], results: Results, dataset: str, context: Context) -> dict[str, Any]:
    """Every figure, for programs: claims by id, effects by what was compared, trainings by name and seed."""
    trainings = {
        name: {
            seed: {"test_accuracy": run.data.metrics["test_accuracy"], "run": run.info.run_id}
            for seed, run in runs.items()
        }
        for name, runs in results.runs.items()
    }
    return {
        "dataset": dataset,
        "machine": machine(context.trainer),
        "precision": resolve_precision(context.trainer),
        "claims": {
            finding.claim.id: {
                "says": finding.claim.says,
                "verdict": finding.verdict,
                "effects": {
                    effect.what: {"mean": effect.mean, "interval": effect.interval, "values": list(effect.values)}
                    for effect in finding.effects
                },
                "runs": finding.run_ids,
            }
            for finding in findings
        },
        "trainings": trainings,
    }


def markdown(
    findings: Sequence[Finding], results: Results, params: ClaimsParams, dataset: str, context: Context
) -> str:
    """The report for people; its pictures are beside it, in claims/."""
    sections = [
        _head(params, dataset, context),
        _summary(findings),
        f"![Every difference in accuracy with its interval](claims/{OVERVIEW})\n",
        "## Claim by claim\n",
        *(_section(finding) for finding in findings),
        _table(results),
        TRACING,
    ]
    return "\n".join(sections)


def _head(params: ClaimsParams, dataset: str, context: Context) -> str:
    reviews = "IMDB" if dataset == "imdb" else "the generated sample, which is **not IMDB**"
    gpu = "" if gpus(context.trainer) else " On a GPU: not measured."
    return f"""# What the documents claim, measured

The documents are the ones this project grew out of: a question-and-answer page on what a bidirectional LSTM adds, a
survey of the LSTM family, and notes on the LSTM's gates. Written by `make claims` on {reviews}, on
{machine(context.trainer)}, in {resolve_precision(context.trainer)}.{gpu}

- Each comparison changes one thing, and the rest is what params.yaml gives to both, cut by `claims.model` to
  {params.model.get("max_length", "their own")} tokens a review, {params.model.get("max_epochs", "all")} epochs and,
  where nothing else is said, {params.reviews:,} reviews: short trainings, so that there can be many. Accuracies are
  therefore below those of the pipeline's own comparison. Exceptions: the plain RNN and the transformer have learning
  rates of their own, without which they learn little, and with few reviews there are more epochs. Nothing was searched.
- {len(params.seeds)} seeds each, the same on both sides. An effect is the mean difference of trainings with the same
  seed, and its interval the 95% one of Student's t over the seeds: how far other seeds might move it. That the test
  reviews are a sample too is not in it. Test is scored once, after the last epoch; nothing is chosen by it.
- **Not supported**: no effect worth the name (half a point of accuracy, a twentieth of the time, a tenth of a power of
  ten) lies in the interval. **Supported**: there may be one, and the whole interval is on the claim's side. **Inconclusive**:
  anything else, and where neither side has learned anything. `claims.seeds` takes more seeds. A claim of several
  comparisons holds if all of them do. Of so many intervals, one in twenty misses its truth.
- What recurs below: the *long-range dial* is a corpus of invented reviews whose verdict stands a given number of tokens
  before their end ({min(params.dependency_lengths)} to {max(params.dependency_lengths)} here, {params.long_range_reviews:,} reviews to
  learn from). A network *answers from its last state* if nothing but what it remembers at the end decides; else the
  largest value of each state over all tokens does (*max pooling*). A *reservoir* is a recurrent network that is never
  trained; its *spectral radius* says how much of its state it passes on.
"""


def _summary(findings: Sequence[Finding]) -> str:
    lines = ["| claim | verdict | measured (95% interval) |", "|---|---|---|"]
    for finding in findings:
        measured = "<br>".join(f"{effect.what}: {effect}{_short(effect.unit.name)}" for effect in finding.effects)
        lines.append(f"| [{finding.claim.says}](#{finding.claim.id}) | {SIGNS[finding.verdict]} | {measured} |")
    return "\n".join(lines) + "\n"


def _short(unit: str) -> str:
    return {"times": " times", "orders of magnitude": " orders of magnitude"}.get(unit, " points")


def _section(finding: Finding) -> str:
    claim = finding.claim
    lines = [f'<a id="{claim.id}"></a>', f"### {claim.says}", "", claim.how, ""]
    lines += ["| | mean (95% interval) | each | verdict |", "|---|---|---|---|"]
    for effect in finding.effects:
        each = ", ".join(f"{value:{effect.unit.format}}" for value in effect.values[:6])
        more = ", ..." if len(effect.values) > 6 else ""
        detail = f": {effect.detail}" if effect.detail else ""
        lines.append(f"| {effect.what}{detail} | {effect} {effect.unit.name} | {each}{more} | {effect.verdict} |")
    lines += ["", f"Verdict: {SIGNS[finding.verdict]}. Runs: tag `claim.{claim.id}`, {len(finding.run_ids)} of them."]
    if claim.plot != OVERVIEW:
        lines += ["", f"![{claim.says}](claims/{claim.plot})"]
    return "\n".join(lines) + "\n"


def _table(results: Results) -> str:
    lines = [
        "## The compared trainings",
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
``tags.`claim.stacking` = "yes"`` to see those that a claim and its picture rest on; `experiment`, `seed` and
`machine` are tags too, and every run has its parameters and its curves. `reports/claims.json` has every effect and
every training with the ids of its runs.

A training is found again by what it is made of (parameters, precision, data): `make claims` runs what is missing, and
what was stopped; change `claims:` in params.yaml and it runs what that adds.
"""
