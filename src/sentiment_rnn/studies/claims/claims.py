"""The table of claims of the reference texts, each with the effects that test it and what has been published."""

import math
from collections.abc import Callable, Sequence
from typing import NamedTuple

from sentiment_rnn.params import ClaimsParams
from sentiment_rnn.studies.claims.plan import (
    INITIALIZERS,
    SAME_WEIGHTS,
    capacity,
    from_scratch,
    memory,
    pooled,
    pretrained,
    untrained,
    with_reviews,
)
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.claims.statistics import Comparison
from sentiment_rnn.studies.claims.tasks import TaskName
from sentiment_rnn.studies.effect import FEW_LABELS

Effects = Sequence[Comparison]


class Claim(NamedTuple):
    """A statement about recurrent networks.

    Attributes:
        id: of the claim; the runs that it is based on have the tag `claim.ID`.
        statement: the claim.
        method: what is compared, and on what.
        effects: measures them; the claim is that each lies above no effect.
        published: results of others on the same question, with their sources.
        plot: the file in reports/claims that shows it; empty: the plot of all effects.
    """

    id: str
    statement: str
    method: str
    effects: Callable[[Results, ClaimsParams], Effects]
    published: str = ""
    plot: str = ""


def _solved(task: TaskName) -> Callable[[Results, ClaimsParams], Effects]:
    """The LSTM against the plain RNN on a task, at each length."""
    return lambda results, params: [
        results.solved_diff(memory("lstm", task, length), memory("rnn", task, length))
        for length in params.memory.lengths[task]
    ]


def _near_one(params: ClaimsParams) -> str:
    return capacity(min(params.reservoir.spectral_radii, key=lambda radius: abs(math.log(radius))))


CLAIMS = (
    Claim(
        "adding",
        "An LSTM learns to remember over many steps where a plain RNN does not: the adding problem.",
        "Of T random numbers two are marked; after the last step the network predicts their sum. Solved: a mean "
        "squared error below 0.01 on new sequences (predicting 1 gives 0.167). Compared is the share of seeds that "
        "solve it.",
        _solved("adding"),
        "Hochreiter & Schmidhuber (1997): the LSTM solves T = 100 after 74,000 sequences. Le, Jaitly & Hinton (2015) "
        "and Arjovsky, Shah & Bengio (2016) report that LSTMs solve it at lengths of 100 and more, and tanh RNNs do "
        "not.",
        "adding.png",
    ),
    Claim(
        "copy",
        "An LSTM learns to remember over many steps where a plain RNN does not: copy memory.",
        "The network reads five symbols, then T blanks, and then recalls the symbols in order. Solved: less than 1% "
        "of the symbols are wrong (a guess is wrong in 87.5%).",
        _solved("copy"),
        "Arjovsky, Shah & Bengio (2016): with ten symbols and T of 100 and more neither gets far beyond a guess.",
        "copy.png",
    ),
    Claim(
        "long-range",
        "An LSTM learns to remember over many steps where a plain RNN does not: an opinion at the start of a review.",
        "Synthetic reviews: an opinion, then T tokens without one; the network predicts the label from its last state. "
        "Solved: less than 5% of the labels are wrong.",
        _solved("long-range"),
        plot="long-range.png",
    ),
    Claim(
        "chrono-initialization",
        "An LSTM learns long dependencies in fewer steps if its gates are initialized to hold a state for that long.",
        "Chrono initialization against a forget bias of 1 on the adding problem: steps until it is solved. A training"
        " that does not solve it counts with all its steps. Not in the reference texts.",
        lambda results, params: [
            results.steps_ratio(
                memory("lstm, chrono initialization", "adding", length), memory("lstm", "adding", length)
            )
            for length in params.memory.lengths["adding"]
        ],
        "Tallec & Ollivier (2018): the LSTM with chrono initialization learns the adding problem at T = 200 and 750 "
        "sooner.",
        "adding.png",
    ),
    Claim(
        "vanishing-gradient",
        "The gradient vanishes over many steps in a plain RNN, less so in an LSTM.",
        "The norm of the gradient with respect to the input 40 steps before the last, relative to that of the last, "
        "after training on the longest adding problem.",
        lambda results, params: [
            results.gradient_ratio(
                memory("lstm", "adding", max(params.memory.lengths["adding"])),
                memory("rnn", "adding", max(params.memory.lengths["adding"])),
                "gradient_norm",
                _steps(params),
            )
        ],
        "Hochreiter (1991) and Bengio, Simard & Frasconi (1994) derived it for the plain RNN, and Hochreiter & "
        "Schmidhuber (1997) made the LSTM against it.",
        "gradient.png",
    ),
    Claim(
        "vanishing-gradient-initial",
        "The gradient vanishes less in an LSTM than in a plain RNN before any training.",
        "The same of networks as they are initialized: with torch's initializer, and with Keras's, whose orthogonal "
        "recurrent matrix helps the plain RNN. Not in the reference texts: an LSTM learns to keep the gradient.",
        lambda results, params: [
            results.gradient_ratio(
                untrained("lstm", initializer), untrained("rnn", initializer), "gradient_norm_initial", _steps(params)
            )
            for initializer in INITIALIZERS
        ],
        "Theory (Pascanu, Mikolov & Bengio, 2013): each step multiplies an RNN's gradient by at most the largest "
        "singular value of its recurrent matrix, 1 with Keras's initializer; with torch's its eigenvalues are at most"
        " about 0.58. Along an LSTM's cell state it is the forget gate: about 0.73 with Keras's forget bias of 1, 0.5"
        " with torch's.",
        "gradient.png",
    ),
    Claim(
        "bidirectional",
        "A bidirectional LSTM is more accurate than an LSTM.",
        "With equal units in each direction, from word vectors and from scratch; and, since two directions have more "
        "weights, against one direction with about as many weights.",
        lambda results, _: [
            results.accuracy_diff("bilstm", "lstm"),
            results.accuracy_diff(from_scratch("bilstm"), from_scratch("lstm")),
            results.accuracy_diff("bilstm", SAME_WEIGHTS),
        ],
        "Graves & Schmidhuber (2005) found it on phonemes.",
    ),
    Claim(
        "bidirectional-cost",
        "A bidirectional LSTM is slower than an LSTM.",
        "Seconds of a training step (forward and backward, a batch of full length), measured in alternation. The "
        "reference "
        'texts call it "a lot" slower.',
        lambda results, _: results.time_ratios("bilstm", "lstm"),
        plot="cost.png",
    ),
    Claim(
        "gru-simpler",
        "A GRU is simpler than an LSTM.",
        "Weights without the embedding: the LSTM's as a multiple of those of a GRU with as many units.",
        lambda results, _: results.size_ratio("lstm", "gru"),
        "By definition three blocks of weights against four (Cho et al., 2014).",
    ),
    Claim(
        "gru-faster",
        "A GRU trains faster than an LSTM.",
        "Seconds of a training step: the LSTM's as a multiple of the GRU's, on each device.",
        lambda results, _: results.time_ratios("lstm", "gru"),
        plot="cost.png",
    ),
    Claim(
        "gru-small-data",
        "With little data a GRU is more accurate than an LSTM.",
        "Both with the same labeled reviews.",
        lambda results, params: [
            results.accuracy_diff(with_reviews("gru", reviews), with_reviews("lstm", reviews), FEW_LABELS)
            for reviews in params.accuracy.learning_curve[:1]
        ],
        plot="learning-curve.png",
    ),
    Claim(
        "lstm-much-data",
        "With much data an LSTM is more accurate than a GRU.",
        "Both with all of train, from word vectors and from scratch.",
        lambda results, _: [
            results.accuracy_diff("lstm", "gru"),
            results.accuracy_diff(from_scratch("lstm"), from_scratch("gru")),
        ],
        "Chung et al. (2014) could not tell which is better; Jozefowicz et al. (2015): a GRU beats an LSTM on most "
        "tasks, unless the forget bias is 1.",
        "learning-curve.png",
    ),
    Claim(
        "stacking",
        "Stacked layers are more accurate than one layer.",
        "Two layers against one, from word vectors and from scratch.",
        lambda results, _: [
            results.accuracy_diff("stacked_lstm", "lstm"),
            results.accuracy_diff(from_scratch("stacked_lstm"), from_scratch("lstm")),
        ],
        "Graves, Mohamed & Hinton (2013) found depth to matter most, on speech.",
    ),
    Claim(
        "attention",
        "Attention improves an LSTM.",
        "Additive attention over all states against the last state alone, as in the reference texts.",
        lambda results, _: [results.accuracy_diff("attention_lstm", pooled("lstm", "last"))],
    ),
    Claim(
        "attention-pooling",
        "Attention is more accurate than pooling without weights.",
        "Additive attention against the maximum and the mean of all states. Not in the reference texts: it tests "
        "whether the weights of the attention pay.",
        lambda results, _: [
            results.accuracy_diff("attention_lstm", "lstm"),
            results.accuracy_diff("attention_lstm", pooled("lstm", "mean")),
        ],
    ),
    Claim(
        "peepholes",
        "Peephole connections improve an LSTM.",
        "Gates with peephole connections to the cell state against gates without.",
        lambda results, _: [results.accuracy_diff("peephole_lstm", "lstm")],
        "Greff et al. (2017), 5,400 trainings on three tasks: no significant difference.",
    ),
    Claim(
        "coupling",
        "Coupled input and forget gates improve an LSTM.",
        "An input gate that is one minus the forget gate against two gates.",
        lambda results, _: [results.accuracy_diff("coupled_lstm", "lstm")],
        "Greff et al. (2017): no significant loss of accuracy, with fewer weights.",
    ),
    Claim(
        "multiplication",
        "Recurrent weights that depend on the input improve an LSTM.",
        "The multiplicative LSTM against the LSTM.",
        lambda results, _: [results.accuracy_diff("mlstm", "lstm")],
        "Krause et al. (2016) found it for language models of characters.",
    ),
    Claim(
        "transformer",
        "A transformer is more accurate than a recurrent network.",
        "A transformer encoder layer with about as many weights as the BiLSTM against the BiLSTM; neither is "
        "pre-trained beyond its word vectors.",
        lambda results, _: [results.accuracy_diff("transformer", "bilstm")],
    ),
    Claim(
        "reservoir",
        "An echo state network needs a spectral radius near one to remember.",
        "Memory capacity: over how many past inputs a linear readout of its state can recall the input. The radius "
        "nearest to one against the smallest and the largest.",
        lambda results, params: [
            results.capacity_ratio(_near_one(params), capacity(radius))
            for radius in (min(params.reservoir.spectral_radii), max(params.reservoir.spectral_radii))
        ],
        "Jaeger (2001): the capacity is at most the number of units.",
        "reservoir.png",
    ),
    Claim(
        "pre-training",
        "Pre-trained as a language model on unlabeled text, an mLSTM is accurate with few labels.",
        "An mLSTM initialized with a language model of unlabeled reviews against one from scratch, with the same "
        "labels.",
        lambda results, params: [
            results.accuracy_diff(
                with_reviews(pretrained("mlstm"), reviews), with_reviews(from_scratch("mlstm"), reviews), FEW_LABELS
            )
            for reviews in params.accuracy.learning_curve
        ],
        "Radford et al. (2017), from 82 million product reviews: 92.88% on IMDB with all labels. Dai & Le (2015), from "
        "IMDB's own text: an error of 7.64% instead of 13.50%.",
        "pre-training.png",
    ),
    Claim(
        "pre-training-beyond-vectors",
        "A language model gives more than word vectors that were learned from the same text.",
        "An mLSTM initialized with the language model against one that starts from the word vectors. Not in the "
        "reference texts.",
        lambda results, params: [
            results.accuracy_diff(
                with_reviews(pretrained("mlstm"), reviews), with_reviews("mlstm", reviews), FEW_LABELS
            )
            for reviews in params.accuracy.learning_curve
        ],
        "Dai & Le (2015): 7.64% against 10.00%.",
        "pre-training.png",
    ),
)


def _steps(params: ClaimsParams) -> int:
    """How far back the gradient is compared: 40 steps, where the sequences are long enough."""
    return max(steps for steps in (1, 5, 40) if steps < max(params.memory.lengths["adding"]))
