"""The claims of the reference texts, each with the effects that test it."""

import math
from collections.abc import Callable, Sequence
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
from sentiment_rnn.studies.effect import Effect, Verdict, combined_verdict
from sentiment_rnn.studies.experiment import Context, finished_runs

OVERVIEW = "effects.png"  # the plot of all differences in accuracy


class Claim(NamedTuple):
    """A statement of the reference texts, and the effects that test it.

    Attributes:
        id: of the claim; the runs that it is based on have the tag `claim.ID`.
        statement: the claim.
        method: what is compared, and on what.
        effects: measures them; the claim is that each lies above no effect.
        plot: the file in reports/claims that shows it.
    """

    id: str
    statement: str
    method: str
    effects: Callable[[Results, ClaimsParams], Sequence[Effect]]
    plot: str = OVERVIEW


class Finding(NamedTuple):
    """A claim, its effects, its verdict, and the MLflow runs that it is based on."""

    claim: Claim
    effects: Sequence[Effect]
    verdict: Verdict
    run_ids: set[str]


def evaluate_claim(claim: Claim, results: Results, params: ClaimsParams) -> Finding:
    """The effects and the verdict of a claim."""
    results.used.clear()
    effects = claim.effects(results, params)
    return Finding(claim, effects, combined_verdict([effect.verdict for effect in effects]), set(results.used))


def tag_runs(client: MlflowClient, findings: Sequence[Finding], context: Context) -> None:
    """Tag the runs behind each finding with its claim, and no others."""
    finished = {run.info.run_id: run for run in finished_runs(client, context).values()}
    for finding in findings:
        key = f"claim.{finding.claim.id}"
        tagged = {run_id for run_id, run in finished.items() if key in run.data.tags}
        for run_id in finding.run_ids - tagged:
            client.set_tag(run_id, key, "yes")
        for run_id in tagged - finding.run_ids:  # of an earlier choice of seeds or sizes
            client.delete_tag(run_id, key)


CLAIMS = (
    Claim(
        "bidirectional",
        "A bidirectional network is more accurate than a unidirectional one.",
        "The LSTM in both directions against one direction; and, since two directions have twice the units, "
        "the BiLSTM against a unidirectional LSTM with twice the units.",
        lambda results, _: [
            results.accuracy_diff("bilstm", "lstm"),
            results.accuracy_diff("bilstm", double_width("lstm")),
        ],
    ),
    Claim(
        "bidirectional-cost",
        "A bidirectional LSTM is slower than an LSTM.",
        "Seconds of a training step (forward and backward, a batch of full length), measured alternately. The "
        'reference texts call it "a lot" slower.',
        lambda results, _: [results.time_ratio("bilstm", "lstm")],
        "cost.png",
    ),
    Claim(
        "gru-simpler",
        "A GRU is simpler than an LSTM.",
        "Number of weights without the embedding, the LSTM's divided by that of a GRU of the same size.",
        lambda results, _: [results.size_ratio("lstm", "gru")],
    ),
    Claim(
        "gru-faster",
        "A GRU trains faster than an LSTM.",
        "Seconds of a training step, the LSTM's divided by the GRU's.",
        lambda results, _: [results.time_ratio("lstm", "gru")],
        "cost.png",
    ),
    Claim(
        "gru-small-data",
        "With little data a GRU is more accurate, with much data an LSTM.",
        "Both with the same reviews, from a few hundred to all; the verdict is on the two ends.",
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
        "An LSTM is more accurate than a plain RNN where a long-range dependency decides.",
        "The long-range task, predicted from the last state. Both cells with torch's initializer, and both with "
        "Keras's, whose orthogonal recurrent matrix helps a plain RNN to remember.",
        lambda results, params: [
            results.accuracy_diff(long_range(f"lstm{initializer}", length), long_range(f"rnn{initializer}", length))
            for initializer in (", torch initializer", "")
            for length in _long(params)
        ],
        "dependency-length.png",
    ),
    Claim(
        "chrono-initialization",
        "An LSTM with chrono initialization is more accurate than a plain RNN where a long-range dependency decides.",
        "As above, but the LSTM's forget gates are initialized so that some units hold a state over the dependency "
        "length (Tallec & Ollivier, 2018), against the plain RNN with its better initializer, Keras's. Not in the "
        "reference texts: it tests the condition under which the previous claim is true.",
        lambda results, params: [
            results.accuracy_diff(long_range("lstm, chrono initialization", length), long_range("rnn", length))
            for length in _long(params)
        ],
        "dependency-length.png",
    ),
    Claim(
        "vanishing-gradient",
        "The gradient vanishes over many steps in a plain RNN, less so in an LSTM.",
        "Networks trained on reviews that predict from the last state: the norm of the gradient with respect to the "
        "embedding of a token so many steps back, relative to that of the last token.",
        lambda results, params: [results.gradient_ratio(last_state("lstm"), last_state("rnn"), params.gradient_steps)],
        "gradient.png",
    ),
    Claim(
        "stacking",
        "Stacked layers are more accurate than one layer.",
        "Two layers against one.",
        lambda results, _: [results.accuracy_diff("stacked_lstm", "lstm")],
    ),
    Claim(
        "attention",
        "Attention improves an LSTM.",
        "Additive attention over all states against the last state alone, as in the reference texts.",
        lambda results, _: [results.accuracy_diff("attention_lstm", last_state("lstm"))],
    ),
    Claim(
        "attention-pooling",
        "Attention is more accurate than max pooling.",
        "Additive attention against max pooling, which has no weights. Not in the reference texts: it tests whether "
        "the weights of the attention pay.",
        lambda results, _: [
            results.accuracy_diff("attention_lstm", "lstm"),
            results.accuracy_diff("attention_bilstm", "bilstm"),
        ],
    ),
    Claim(
        "peepholes",
        "Peephole connections improve an LSTM.",
        "Gates with peephole connections to the cell state against gates without.",
        lambda results, _: [results.accuracy_diff("peephole_lstm", "lstm")],
    ),
    Claim(
        "coupling",
        "Coupled input and forget gates improve an LSTM.",
        "An input gate that is one minus the forget gate against two gates.",
        lambda results, _: [results.accuracy_diff("coupled_lstm", "lstm")],
    ),
    Claim(
        "multiplication",
        "Recurrent weights that depend on the input improve an LSTM.",
        "The multiplicative LSTM against the LSTM.",
        lambda results, _: [results.accuracy_diff("mlstm", "lstm")],
    ),
    Claim(
        "transformer",
        "A transformer is more accurate than a recurrent network.",
        "A transformer encoder layer with about as many weights as the BiLSTM against the BiLSTM.",
        lambda results, _: [results.accuracy_diff("transformer", "bilstm")],
    ),
    Claim(
        "reservoir",
        "An echo state network needs a spectral radius near one.",
        "The long-range task at its shortest dependency length: the radius nearest to one against the smallest and "
        "the largest.",
        lambda results, params: [
            results.accuracy_diff(reservoir(_nearest_to_one(params)), reservoir(radius))
            for radius in (min(params.spectral_radii), max(params.spectral_radii))
        ],
        "reservoir.png",
    ),
    Claim(
        "pre-training",
        "Pre-trained as a language model on unlabeled text, an mLSTM is accurate with few labels.",
        "An mLSTM initialized with a language model of unlabeled reviews against one without, with the same labels.",
        lambda results, params: [
            results.accuracy_diff(pretrained("mlstm", reviews), with_reviews("mlstm", reviews))
            for reviews in params.labeled
        ],
        "pre-training.png",
    ),
)


def _long(params: ClaimsParams) -> list[int]:
    """All dependency lengths but the shortest."""
    return sorted(params.dependency_lengths)[1:]


def _nearest_to_one(params: ClaimsParams) -> float:
    return min(params.spectral_radii, key=lambda radius: abs(math.log(radius)))
