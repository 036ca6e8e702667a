"""The claims' report: claims.md, with its numbers in claims.json."""

from collections.abc import Sequence
from statistics import mean, stdev
from typing import Any

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.findings import Finding
from sentiment_rnn.studies.claims.plan import COMPARED, SAME_WEIGHTS, from_scratch, pooled
from sentiment_rnn.studies.claims.plots import FOREST
from sentiment_rnn.studies.claims.results import Results, activations, seconds
from sentiment_rnn.studies.claims.statistics import Comparison, Decision, is_measured
from sentiment_rnn.studies.claims.timing import TOKENS, WEIGHTS
from sentiment_rnn.studies.claims.tuning import Selection
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.training.devices import resolve_precision

VERDICTS: dict[Decision, str] = {
    "supported": "**supported**",
    "equivalent": "**not supported**: equivalent",
    "opposite": "**not supported**: opposite",
    "inconclusive": "inconclusive",
    "not measured": "not measured yet",
}
OUTCOMES: dict[Decision, str] = {
    "supported": "The claim is supported: the effect is on its side in every comparison.",
    "equivalent": "The claim is not supported: in at least one comparison a difference that would matter is excluded.",
    "opposite": "The claim is not supported: in at least one comparison the effect is opposite to it.",
    "inconclusive": "Inconclusive: neither an effect nor its absence is shown.",
    "not measured": "Not all of its experiments have been run; `make claims` runs them.",
}


def summary_values(findings: Sequence[Finding], results: Results, dataset: str, context: Context) -> dict[str, Any]:
    """All effects and verdicts for other programs, claims by id."""
    return {
        "dataset": dataset,
        "machines": results.machines(),
        "precision": resolve_precision(context.trainer),
        "claims": {
            finding.claim.id: {
                "statement": finding.claim.statement,
                "verdict": finding.verdict,
                "effects": {
                    effect.name: {
                        "decision": decision,
                        "unit": effect.unit.name,
                        "mean": effect.mean,
                        "interval": effect.interval,
                        "p_difference": effect.p_difference,
                        "p_equivalence": effect.p_equivalence,
                        "margin": effect.unit.margin,
                        "values": list(effect.values),
                    }
                    for effect, decision in zip(finding.effects, finding.decisions, strict=True)
                    if is_measured(effect)
                },
                "runs": sorted(results.runs(sorted(finding.used))),
            }
            for finding in findings
        },
    }


def markdown(
    findings: Sequence[Finding],
    results: Results,
    selections: Sequence[Selection],
    params: ClaimsParams,
    dataset: str,
    context: Context,
    plots: Sequence[str],
) -> str:
    """The report; its plots are in claims/ beside it.

    Args:
        findings: of all claims.
        results: of all experiments.
        selections: of the learning rates.
        params: of the claims.
        dataset: its name.
        context: where the experiments ran.
        plots: file names of those that could be made.
    """
    forest = f"![All effects with their intervals](claims/{FOREST})\n" if FOREST in plots else ""
    sections = [
        _head(dataset, context, findings, results),
        _summary(findings),
        forest,
        _reading(params),
        "## Each claim\n",
        *(_section(finding, results, plots) for finding in findings),
        _accuracies(results),
        _costs(results),
        _rates(selections),
        RUNS,
    ]
    return "\n".join(section for section in sections if section)


def _head(dataset: str, context: Context, findings: Sequence[Finding], results: Results) -> str:
    reviews = {"imdb": "IMDB", "synthetic": "the synthetic corpus, which is **not IMDB**"}.get(dataset, dataset)
    unmeasured = sum(finding.verdict == "not measured" for finding in findings)
    missing = f" **{unmeasured} of {len(findings)} claims are not measured yet.**" if unmeasured else ""
    return f"""# What a recurrent network gains from each part: claims, measured

The claims are those of the reference texts of this project: a question-and-answer page on bidirectional LSTMs, a survey
of the LSTM family, and notes on the gates of the LSTM. Written by `make claims` on {reviews}; trainings on reviews have
precision {resolve_precision(context.trainer)}. Machines: {"; ".join(results.machines()) or "not recorded"}.{missing}
"""


def _summary(findings: Sequence[Finding]) -> str:
    lines = ["| claim | verdict | effect (95% interval) |", "|---|---|---|"]
    for finding in findings:
        measured = [effect for effect in finding.effects if is_measured(effect)]
        effects = "<br>".join(f"{effect.name}: {_measured(effect)}" for effect in measured)
        lines.append(f"| [{finding.claim.statement}](#{finding.claim.id}) | {VERDICTS[finding.verdict]} | {effects} |")
    return "\n".join(lines) + "\n"


def _reading(params: ClaimsParams) -> str:
    accuracy, memory = params.accuracy, params.memory
    return f"""## How to read this page

- **An effect** compares two networks that differ in one thing, trained with the same seeds. A difference in accuracy is
  in percentage points (90% against 89% is +1); a ratio of 1.2 means 20% more.
- **The interval** contains the true effect in 95 of 100 such studies. It counts two sources of chance: other seeds and,
  for accuracies, other test reviews (from the spread over 50 parts of the test split).
- **Supported**: the effect is significantly on the claim's side in every comparison. **Not supported, opposite**: it is
  significantly on the other side. **Not supported, equivalent**: two one-sided tests exclude an effect as large as the
  margin. **Inconclusive**: none of these; the number of seeds is named that would show an effect as large as the margin
  with a probability of 80%.
- **The margin** is 0.5 percentage points of accuracy (2 with fewer reviews than all), 5% of time, size, steps or memory
  capacity, 0.1 orders of magnitude of a gradient, 30 percentage points of the seeds that solve a task.
- **Many claims, few false ones.** All p-values are corrected for their number (Holm, 1979): with a probability of 95%
  none of the significant effects is a product of chance. The intervals are not corrected.
- **Seeds.** {memory.seeds} for tasks that need memory. On reviews {accuracy.pilot_seeds}, whose spread decides how many
  a claim needs, up to {accuracy.max_seeds} (Stein, 1945).
- **Learning rates** are selected for every network from the same candidates, on validation or held-out sequences: see
  [below](#learning-rates). All other parameters are those of params.yaml.
- **Test** is evaluated once, after the last epoch, and selects nothing.
"""


def _measured(effect: Comparison) -> str:
    return f"ratio {effect}" if effect.unit.ratio else f"{effect} {effect.unit.name}"


def _section(finding: Finding, results: Results, plots: Sequence[str]) -> str:
    claim = finding.claim
    lines = [f'<a id="{claim.id}"></a>', f"### {claim.statement}", ""]
    lines += [f"**Compared.** {claim.method}", ""]
    measured = [
        (effect, made) for effect, made in zip(finding.effects, finding.decisions, strict=True) if is_measured(effect)
    ]
    if measured:
        lines += ["| comparison | values | effect (95% interval) | repetitions | decision |", "|---|---|---|---|---|"]
        lines += [
            f"| {effect.name} | {effect.detail} | {_measured(effect)} | {len(effect.values)} | {decision} |"
            for effect, decision in measured
        ]
        lines.append("")
    lines.append(f"**Result.** {OUTCOMES[finding.verdict]}{_power(finding)}")
    if claim.published:
        lines += ["", f"**Published.** {claim.published}"]
    if claim.plot in plots:
        lines += ["", f"![{claim.statement}](claims/{claim.plot})"]
    lines += ["", f"Based on {len(results.runs(sorted(finding.used)))} runs, tag `claim.{claim.id}`."]
    return "\n".join(lines) + "\n"


def _power(finding: Finding) -> str:
    if finding.verdict != "inconclusive":
        return ""
    if finding.seeds == float("inf"):
        return " No number of seeds would show an effect as small as the margin: the test split is too small."
    return f" {finding.seeds:.0f} seeds would show an effect as large as the margin with a probability of 80%."


def _accuracies(results: Results) -> str:
    names = [*COMPARED, SAME_WEIGHTS, pooled("lstm", "mean"), pooled("lstm", "last"), from_scratch("lstm")]
    rows = [(name, results.metric(name), results.metric(name, "weights")) for name in names]
    rows = [row for row in rows if len(row[1]) > 1]
    if not rows:
        return ""
    lines = [
        "## The compared architectures",
        "",
        "| architecture | test accuracy, % (mean ± standard deviation) | weights without the embedding | seeds |",
        "|---|---|---|---|",
    ]
    for name, accuracies, weights in sorted(rows, key=lambda row: -mean(row[1])):
        accuracy = f"{100 * mean(accuracies):.2f} ± {100 * stdev(accuracies):.2f}"
        lines.append(f"| {name} | {accuracy} | {weights[0]:,.0f} | {len(accuracies)} |")
    return "\n".join(lines) + "\n"


def _costs(results: Results) -> str:
    if not results.costs:
        return ""
    lines = [
        "## Cost of a training step",
        "",
        "A batch of full length, forward and backward; the memory is that of the tensors that the forward pass saves "
        "for the backward pass.",
        "",
        "| device | architecture | step, ms | tokens/s | weights without the embedding | memory, MB |",
        "|---|---|---|---|---|---|",
    ]
    for label, cost in results.costs.items():
        for name in COMPARED:
            step = mean(seconds(cost, name))
            lines.append(
                f"| {label} | {name} | {1000 * step:.0f} | {cost.metrics[name + TOKENS] / step:,.0f} "
                f"| {cost.metrics[name + WEIGHTS]:,.0f} | {activations(cost, name):.0f} |"
            )
    return "\n".join(lines) + "\n"


def _rates(selections: Sequence[Selection]) -> str:
    if not selections:
        return ""
    lines = [
        '<a id="learning-rates"></a>',
        "## Selected learning rates",
        "",
        "One training with each candidate. On reviews the loss on validation selects; on the tasks that need memory "
        "the steps until the shortest length is solved, or else the error on held-out sequences.",
        "",
        "| network | candidates | selected |",
        "|---|---|---|",
    ]
    for selection in selections:
        tried = ", ".join(f"{rate:g}: {outcome}" for rate, outcome in selection.outcomes.items())
        lines.append(f"| {selection.name} | {tried} | {selection.rate:g} |")
    return "\n".join(lines) + "\n"


RUNS = """## The runs behind the results

`make ui` shows the trainings in the experiment whose name ends in `-claims`. The search
``tags.`claim.stacking` = "yes"`` finds the runs that a claim and its plot are based on; `experiment`, `seed` and
`machine` are tags too, and every run has its parameters and learning curves. `reports/claims.json` has every effect,
`reports/claims/experiments.jsonl` the metrics of every finished experiment with the ids of its runs.

A finished experiment is found by its parameters, its precision and its data, in MLflow or in `experiments.jsonl`:
`make claims` runs only those that are missing, also in a new clone, after it was stopped, or after `claims` in
params.yaml was changed.
"""
