"""Selection of the learning rates: for every network the same candidates, on held-out data."""

from collections.abc import Mapping
from typing import NamedTuple

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.plan import Plan, candidates
from sentiment_rnn.studies.claims.summary import Result
from sentiment_rnn.studies.experiment import Context


class Selection(NamedTuple):
    """The selected learning rate of a network.

    Attributes:
        name: of the tuned experiment.
        rate: that was selected.
        outcomes: what each candidate gave, in words.
    """

    name: str
    rate: float
    outcomes: dict[float, str]


def select(plan: Plan, claims: ClaimsParams, finished: Mapping[str, Result], context: Context) -> list[Selection]:
    """The best candidate of every tuned experiment whose candidates have all been run."""
    selections = []
    for name, experiments in candidates(plan, claims).items():
        found = [finished.get(experiment.key(context)) for experiment in experiments]
        tried = {rate: result for rate, result in zip(claims.learning_rates, found, strict=True) if result is not None}
        if len(tried) == len(found):
            best = min(tried, key=lambda rate: _rank(tried[rate]))
            selections.append(Selection(name, best, {rate: _outcome(result) for rate, result in tried.items()}))
    return selections


def _rank(result: Result) -> tuple[float, ...]:
    """Lower is better."""
    if "solved" in result.metrics:
        return 1 - result.metrics["solved"], result.metrics["steps"], _last_error(result)
    return (result.metrics["final_validation_loss"],)


def _outcome(result: Result) -> str:
    if "solved" not in result.metrics:
        return f"loss {result.metrics['final_validation_loss']:.4f}"
    if result.metrics["solved"]:
        return f"{result.metrics['steps']:.0f} steps"
    return f"not solved, error {_last_error(result):.3f}"


def _last_error(result: Result) -> float:
    return list(result.series["error"].values())[-1]
