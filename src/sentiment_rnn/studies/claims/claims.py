"""The documents' claims, each with what was measured of it."""

import math
from collections.abc import Callable, Collection, Sequence
from typing import NamedTuple

from mlflow import MlflowClient

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.plan import (
    all_reviews,
    double_width,
    last_state,
    long_range,
    pretrained,
    reservoir,
    with_reviews,
)
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.effect import Effect, Verdict, together
from sentiment_rnn.studies.experiment import Context, finished_runs

OVERVIEW = "effects.png"  # the picture of all differences in accuracy


class Claim(NamedTuple):
    """What a document says, and the effects that would show it.

    Attributes:
        id: of the claim; the runs it rests on have the tag `claim.ID`.
        says: the claim in our words.
        how: what was compared, and on what.
        effects: measures them; the claim is that each lies above nothing.
        plot: the file in reports/claims that shows it.
    """

    id: str
    says: str
    how: str
    effects: Callable[[Results, ClaimsParams], Sequence[Effect]]
    plot: str = OVERVIEW


class Finding(NamedTuple):
    """A claim, its effects, its verdict, and the MLflow runs it rests on."""

    claim: Claim
    effects: Sequence[Effect]
    verdict: Verdict
    run_ids: list[str]

    def shown_in(self, run_ids: Collection[str]) -> "Finding":
        """With the runs that its picture shows besides."""
        return self if self.claim.plot == OVERVIEW else self._replace(run_ids=sorted({*self.run_ids, *run_ids}))


def find(claim: Claim, results: Results, params: ClaimsParams) -> Finding:
    """Measure a claim."""
    results.asked.clear()
    effects = claim.effects(results, params)
    return Finding(claim, effects, together([effect.verdict for effect in effects]), sorted(results.asked))


def tag(client: MlflowClient, findings: Sequence[Finding], context: Context) -> None:
    """Tag the runs behind each finding with its claim, and no others."""
    finished = {run.info.run_id: run for run in finished_runs(client, context).values()}
    for finding in findings:
        key, wanted = f"claim.{finding.claim.id}", set(finding.run_ids)
        tagged = {run_id for run_id, run in finished.items() if key in run.data.tags}
        for run_id in wanted - tagged:
            client.set_tag(run_id, key, "yes")
        for run_id in tagged - wanted:  # of an earlier choice of seeds or sizes
            client.delete_tag(run_id, key)


CLAIMS = (
    Claim(
        "bidirectional",
        "A network that reads from both ends beats one that reads from the start alone.",
        "The same cell in one and in both directions; and, since two directions have twice the units, "
        "the BiLSTM against an LSTM with twice the units in one direction.",
        lambda results, _: [
            results.accuracy_diff("bilstm", "lstm"),
            results.accuracy_diff("bilstm", double_width("lstm")),
        ],
    ),
    Claim(
        "bidirectional-cost",
        "A bidirectional LSTM is slower than an LSTM.",
        "Seconds of a training step (forward and backward, a batch of full length), the two in turn. The documents say "
        "`a lot`: the ratio says how much.",
        lambda results, _: [results.time_ratio("bilstm", "lstm")],
        "cost.png",
    ),
    Claim(
        "gru-simpler",
        "A GRU is simpler than an LSTM.",
        "Weights without the embedding: the LSTM's against the GRU's of the same size.",
        lambda results, _: [results.size_ratio("lstm", "gru")],
    ),
    Claim(
        "gru-faster",
        "A GRU trains faster than an LSTM.",
        "Seconds of a training step: the LSTM's against the GRU's.",
        lambda results, _: [results.time_ratio("lstm", "gru")],
        "cost.png",
    ),
    Claim(
        "gru-small-data",
        "With little data a GRU is the better choice, with much an LSTM.",
        "Both with the same reviews, from a few hundred to all; the two ends decide.",
        lambda results, params: [
            results.accuracy_diff(
                with_reviews("gru", min(params.learning_curve)), with_reviews("lstm", min(params.learning_curve))
            ),
            results.accuracy_diff(all_reviews("lstm"), all_reviews("gru")),
        ],
        "learning-curve.png",
    ),
    Claim(
        "long-dependency",
        "An LSTM beats a plain RNN where what matters lies far back.",
        "The sample's long-range dial: a verdict, then so many tokens without an opinion; the last state answers. Both "
        "cells with recurrent weights as torch draws them, and both with Keras's, whose orthogonal matrix lets a plain "
        "RNN remember.",
        lambda results, params: [
            results.accuracy_diff(long_range(f"lstm{start}", distance), long_range(f"rnn{start}", distance))
            for start in (", torch's start", "")
            for distance in _long(params)
        ],
        "distance.png",
    ),
    Claim(
        "open-gates",
        "An LSTM whose gates start open for the distance beats a plain RNN where what matters lies far back.",
        "The same, but the LSTM's forget gates start so that some units hold a state over the whole distance (Tallec & "
        "Ollivier, 2018), against the better of the RNN's starts, Keras's. The documents do not say this: it is what "
        "their claim needs in order to hold.",
        lambda results, params: [
            results.accuracy_diff(long_range("lstm, open gates", distance), long_range("rnn", distance))
            for distance in _long(params)
        ],
        "distance.png",
    ),
    Claim(
        "vanishing-gradient",
        "The plain RNN's gradient vanishes with distance, the LSTM's less so.",
        "Trained on reviews, answering from the last state: the gradient by the vector of a token so many steps back, "
        "as a share of that by the last token's; how many orders of magnitude lie between the two networks.",
        lambda results, params: [results.gradient_ratio(last_state("lstm"), last_state("rnn"), params.gradient_steps)],
        "gradient.png",
    ),
    Claim(
        "stacking",
        "Stacked layers learn more than one.",
        "Two layers against one.",
        lambda results, _: [results.accuracy_diff("stacked_lstm", "lstm")],
    ),
    Claim(
        "attention",
        "Attention makes an LSTM better.",
        "Additive attention over all states in place of the last state alone, which is what the documents add it to.",
        lambda results, _: [results.accuracy_diff("attention_lstm", last_state("lstm"))],
    ),
    Claim(
        "attention-pooling",
        "Attention is better than a maximum over the states.",
        "Additive attention against max pooling, which has no weights of its own. The documents do not say this: it is "
        "the comparison that tells whether the weights earn their place.",
        lambda results, _: [
            results.accuracy_diff("attention_lstm", "lstm"),
            results.accuracy_diff("attention_bilstm", "bilstm"),
        ],
    ),
    Claim(
        "peepholes",
        "Gates that see the cell state make an LSTM better.",
        "Peepholes against none.",
        lambda results, _: [results.accuracy_diff("peephole_lstm", "lstm")],
    ),
    Claim(
        "coupling",
        "Forgetting only where something new is taken in makes an LSTM better.",
        "An input gate that is one minus the forget gate, against two gates.",
        lambda results, _: [results.accuracy_diff("coupled_lstm", "lstm")],
    ),
    Claim(
        "multiplication",
        "Recurrent weights that depend on the input make an LSTM better.",
        "The multiplicative LSTM against the LSTM.",
        lambda results, _: [results.accuracy_diff("mlstm", "lstm")],
    ),
    Claim(
        "transformer",
        "A transformer beats a recurrent network.",
        "An encoder layer with about the BiLSTM's weights against the BiLSTM.",
        lambda results, _: [results.accuracy_diff("transformer", "bilstm")],
    ),
    Claim(
        "reservoir",
        "A reservoir needs a spectral radius near one.",
        "The long-range dial at its shortest distance: the radius nearest to one against the smallest and the largest.",
        lambda results, params: [
            results.accuracy_diff(reservoir(_nearest_to_one(params)), reservoir(min(params.spectral_radii))),
            results.accuracy_diff(reservoir(_nearest_to_one(params)), reservoir(max(params.spectral_radii))),
        ],
        "reservoir.png",
    ),
    Claim(
        "pre-training",
        "Pre-trained as a language model on unlabelled text, an mLSTM does well with few labels.",
        "An mLSTM that has read unlabelled reviews as a language model against one that has not, with the same labels.",
        lambda results, params: [
            results.accuracy_diff(pretrained("mlstm", reviews), with_reviews("mlstm", reviews))
            for reviews in params.labelled
        ],
        "pre-training.png",
    ),
)


def _long(params: ClaimsParams) -> list[int]:
    """All distances but the shortest."""
    return sorted(params.dependency_lengths)[1:]


def _nearest_to_one(params: ClaimsParams) -> float:
    return min(params.spectral_radii, key=lambda radius: abs(math.log(radius)))
