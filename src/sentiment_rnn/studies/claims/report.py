"""The claims' report: reports/claims.json and reports/claims.md."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.claims import OVERVIEW, Finding
from sentiment_rnn.studies.claims.plan import COMPARED
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.effect import Effect
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.training.devices import gpus, machine, resolve_precision

VERDICTS = {"supported": "**supported**", "not supported": "**not supported**", "inconclusive": "inconclusive"}


def values(findings: Sequence[Finding], results: Results, dataset: str, context: Context) -> dict[str, Any]:
    """All results for other programs: claims by id, effects by comparison, trainings by name and seed."""
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
                "statement": finding.claim.statement,
                "verdict": finding.verdict,
                "effects": {
                    effect.name: {"mean": effect.mean, "interval": effect.interval, "values": list(effect.values)}
                    for effect in finding.effects
                },
                "runs": sorted(finding.run_ids),
            }
            for finding in findings
        },
        "trainings": trainings,
    }


def markdown(
    findings: Sequence[Finding], results: Results, params: ClaimsParams, dataset: str, context: Context
) -> str:
    """The report in Markdown; its plots are in claims/ beside it."""
    sections = [
        _head(params, dataset, context),
        _summary(findings),
        f"![All differences in accuracy with their intervals](claims/{OVERVIEW})\n",
        "## Each claim\n",
        *(_section(finding) for finding in findings),
        _table(results),
        TRACING,
    ]
    return "\n".join(sections)


def _head(params: ClaimsParams, dataset: str, context: Context) -> str:
    reviews = {"imdb": "IMDB", "synthetic": "the synthetic corpus, which is **not IMDB**"}.get(dataset, dataset)
    gpu = "" if gpus(context.trainer) else " GPUs were not measured."
    return f"""# Claims about recurrent networks, measured

The claims are those of the reference texts of this project: a question-and-answer page on bidirectional LSTMs, a survey
of the LSTM family, and notes on the gates of the LSTM. Written by `make claims` on {reviews}, on
{machine(context.trainer)}, with precision {resolve_precision(context.trainer)}.{gpu}

- **Comparisons.** Each changes one thing; the rest is the same on both sides, from params.yaml with `claims.model`:
  {params.model.get("max_length", "all")} tokens per review, {params.model.get("max_epochs", "all")} epochs, no word
  vectors and, unless stated otherwise, {params.reviews:,} reviews. The trainings are short so that there can be many:
  accuracies are below those of the pipeline's own comparison. Two exceptions: the plain RNN and the transformer have
  their own learning rates, without which they learn little; and with few reviews there are more epochs. No
  hyperparameter was searched.
- **Intervals.** {len(params.seeds)} seeds, the same on both sides. An effect is the mean difference between trainings
  with the same seed, with its 95% interval (Student's t over the seeds): the range that other seeds may give. It does
  not include the sampling error of the test reviews. Test is evaluated once, after the last epoch, and selects nothing.
- **Verdicts.** *Not supported*: the interval excludes effects of practical size (0.5 percentage points of test
  accuracy, 5% of the time or the size, 0.1 orders of magnitude). *Supported*: the whole interval is on the claim's
  side. *Inconclusive*: neither, or both models are near chance; more `claims.seeds` give narrower intervals. A claim
  with several comparisons is supported only if all of them are. About one in twenty intervals misses its true value.
- **Terms.** The *long-range task* consists of synthetic reviews whose verdict is followed by a given number of tokens
  without an opinion, the *dependency length* ({min(params.dependency_lengths)} to {max(params.dependency_lengths)}
  here, {params.long_range_reviews:,} training reviews). *Last state*: the prediction depends on the state after the
  last token alone; otherwise on the maximum of each state over all tokens (*max pooling*). An *echo state network* has
  recurrent weights that are never trained; their *spectral radius* decides how fast its state fades.
"""


def _summary(findings: Sequence[Finding]) -> str:
    lines = ["| claim | verdict | effect (95% interval) |", "|---|---|---|"]
    for finding in findings:
        effects = "<br>".join(f"{effect.name}: {_measured(effect)}" for effect in finding.effects)
        lines.append(f"| [{finding.claim.statement}](#{finding.claim.id}) | {VERDICTS[finding.verdict]} | {effects} |")
    return "\n".join(lines) + "\n"


def _measured(effect: Effect) -> str:
    return f"ratio {effect}" if effect.unit.ratio else f"{effect} {effect.unit.name}"


def _section(finding: Finding) -> str:
    claim = finding.claim
    lines = [f'<a id="{claim.id}"></a>', f"### {claim.statement}", "", claim.method, ""]
    lines += ["| comparison | effect (95% interval) | values | verdict |", "|---|---|---|---|"]
    for effect in finding.effects:
        each = ", ".join(f"{value:{effect.unit.format}}" for value in effect.values[:6])
        more = ", ..." if len(effect.values) > 6 else ""
        detail = f" ({effect.detail})" if effect.detail else ""
        lines.append(f"| {effect.name}{detail} | {_measured(effect)} | {each}{more} | {effect.verdict} |")
    lines += [
        "",
        f"Verdict: {VERDICTS[finding.verdict]}. Based on {len(finding.run_ids)} runs, tag `claim.{claim.id}`.",
    ]
    if claim.plot != OVERVIEW:
        lines += ["", f"![{claim.statement}](claims/{claim.plot})"]
    return "\n".join(lines) + "\n"


def _table(results: Results) -> str:
    lines = [
        "## The compared architectures",
        "",
        "| architecture | test accuracy, % (mean ± standard deviation) | weights without the embedding | seeds |",
        "|---|---|---|---|",
    ]
    rows = [(name, results.metric(name), results.metric(name, "weights")) for name in COMPARED]
    for name, accuracies, weights in sorted(rows, key=lambda row: -mean(row[1])):
        accuracy = f"{100 * mean(accuracies):.2f} ± {100 * stdev(accuracies):.2f}"
        lines.append(f"| {name} | {accuracy} | {weights[0]:,.0f} | {len(accuracies)} |")
    return "\n".join(lines) + "\n"


TRACING = """## The runs behind the results

`make ui` shows the trainings in the experiment whose name ends in `-claims`. The search
``tags.`claim.stacking` = "yes"`` finds the runs that a claim and its plot are based on; `experiment`, `seed` and
`machine` are tags too, and every run has its parameters and learning curves. `reports/claims.json` has every effect and
every training with the ids of its runs.

A finished training is found by its parameters, its precision and its data: `make claims` runs only those that are
missing, also after it was stopped or after `claims` in params.yaml was changed.
"""
