"""What the measurements say of each claim: its effects, the decisions on them, and the runs behind it."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from mlflow import MlflowClient
from mlflow.entities import Run

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.accuracy import LANGUAGE_MODEL
from sentiment_rnn.studies.claims.claims import CLAIMS, Claim, Effects
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.claims.statistics import ALPHA, Decision, combined, decide, is_measured


class Finding(NamedTuple):
    """A claim with its effects and the decision on each, its verdict, and the experiments that it is based on.

    Attributes:
        claim: the claim.
        effects: the comparisons.
        decisions: on each of them.
        verdict: on the claim.
        used: names of the experiments.
        seeds: with how many an inconclusive claim would be decided with a power of .8.
    """

    claim: Claim
    effects: Effects
    decisions: Sequence[Decision]
    verdict: Decision
    used: set[str]
    seeds: float


def evaluate_claims(results: Results, params: ClaimsParams) -> list[Finding]:
    """All claims, decided as one family."""
    measured = []
    for claim in CLAIMS:
        results.used.clear()
        effects = claim.effects(results, params)
        measured.append((claim, effects, set(results.used)))
    family = [effect for _, effects, _ in measured for effect in effects]
    alpha = ALPHA / max(1, len(family))
    decided = iter(decide(family))
    findings = []
    for claim, effects, used in measured:
        decisions = [next(decided) for _ in effects]
        needed = [effect.seeds_that_decide(alpha) for effect in effects if is_measured(effect)]
        verdict = combined(decisions) if decisions else "not measured"
        findings.append(Finding(claim, effects, decisions, verdict, used, max(needed, default=0)))
    return findings


def tag_runs(client: MlflowClient, findings: Sequence[Finding], results: Results, finished: Iterable[Run]) -> None:
    """Tag the runs behind each finding with its claim, and no others; those of other clones are not in this store."""
    here = {run.info.run_id: run.data.tags for run in finished}
    language_models = {tags[LANGUAGE_MODEL] for tags in here.values() if LANGUAGE_MODEL in tags}
    for finding in findings:
        key = f"claim.{finding.claim.id}"
        tagged = {run_id for run_id, tags in here.items() if key in tags}
        used = results.runs(sorted(finding.used)) & (here.keys() | language_models)
        for run_id in used - tagged:
            client.set_tag(run_id, key, "yes")
        for run_id in tagged - used:  # of an earlier choice of seeds or sizes
            client.delete_tag(run_id, key)
