"""The trainings that the claims need, each with every seed."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sentiment_rnn.params import ClaimsParams, ModelParams, Params, updated
from sentiment_rnn.params.section import merged
from sentiment_rnn.studies.claims.corpus import MAX_VERDICT
from sentiment_rnn.studies.claims.experiment import Experiment

# architectures that are compared on the data set's reviews
COMPARED = (
    "lstm", "bilstm", "rnn", "gru", "stacked_lstm", "attention_lstm", "attention_bilstm", "peephole_lstm",
    "coupled_lstm", "mlstm", "transformer",
)  # fmt: skip
LAST_STATE = ("rnn", "lstm")  # also with pooling `last`
LEARNING_CURVES = ("lstm", "gru")  # also with fewer reviews


class LongRange(NamedTuple):
    """A model of the long-range task: its architecture and how its recurrent weights are initialized."""

    architecture: str
    initializer: str
    chrono_init: bool


LONG_RANGE = {
    "rnn": LongRange("rnn", "keras", False),
    "lstm": LongRange("lstm", "keras", False),
    "lstm, chrono initialization": LongRange("lstm", "keras", True),
    "rnn, torch initializer": LongRange("rnn", "torch", False),
    "lstm, torch initializer": LongRange("lstm", "torch", False),
}


# names of experiments


def with_reviews(name: str, reviews: int) -> str:
    """With fewer labeled reviews."""
    return f"{name}, {reviews:,} reviews"


def all_reviews(name: str) -> str:
    """With all of train."""
    return f"{name}, all reviews"


def pretrained(name: str, reviews: int) -> str:
    """Initialized with a language model."""
    return f"{name}, pre-trained, {reviews:,} reviews"


def last_state(name: str) -> str:
    """With pooling `last`."""
    return f"{name}, last state"


def double_width(name: str) -> str:
    """With twice the units."""
    return f"{name}, twice the units"


def long_range(name: str, dependency_length: int) -> str:
    """On the long-range task."""
    return f"{name}, dependency length {dependency_length}"


def reservoir(radius: float) -> str:
    """With a spectral radius."""
    return f"echo_state, spectral radius {radius:g}"


def plan(params: Params) -> list[Experiment]:
    """All experiments, seed by seed."""
    return [experiment for seed in params.claims.seeds for experiment in _experiments(params, params.claims, seed)]


def _experiments(params: Params, claims: ClaimsParams, seed: int) -> Iterator[Experiment]:
    for length in claims.dependency_lengths:
        for name, (architecture, initializer, chrono_init) in LONG_RANGE.items():
            changes = {"initializer": initializer, "chrono_init": length if chrono_init else None}
            yield _long_range(params, long_range(name, length), architecture, seed, length, changes)
    for radius in claims.spectral_radii:
        changes = merged(claims.reservoir_model, {"echo_state": {"spectral_radius": radius}})
        yield _long_range(params, reservoir(radius), "echo_state", seed, claims.reservoir_dependency_length, changes)

    def on_reviews(name: str, model: ModelParams, reviews: int | None = claims.reviews, **more: int) -> Experiment:
        return Experiment(name=name, model=model, seed=seed, reviews=reviews, **more)

    for name in COMPARED:
        yield on_reviews(name, _model(params, name))
    units = 2 * params.model_of("lstm").hidden_size
    yield on_reviews(double_width("lstm"), _model(params, "lstm", hidden_size=units))
    for name in LAST_STATE:
        yield on_reviews(last_state(name), _model(params, name, pooling=["last"]), gradients=claims.gradient_steps)
    for name in LEARNING_CURVES:
        yield on_reviews(all_reviews(name), _model(params, name), None)
        for reviews in claims.learning_curve:
            yield on_reviews(with_reviews(name, reviews), _with_min_steps(params, name, reviews), reviews)
    for reviews in claims.labeled:
        model = _with_min_steps(params, "mlstm", reviews)
        yield on_reviews(with_reviews("mlstm", reviews), model, reviews)
        yield on_reviews(pretrained("mlstm", reviews), model, reviews, pretraining=claims.pretraining_reviews)


def _model(params: Params, name: str, **changes: Any) -> ModelParams:
    return _without_early_stopping(updated(params.model_of(name), {**params.claims.model, **changes}))


def _without_early_stopping(model: ModelParams, epochs: int | None = None) -> ModelParams:
    """The last epoch is evaluated, at the end of the learning rate's schedule."""
    epochs = epochs or model.max_epochs
    return updated(model, {"max_epochs": epochs, "patience": epochs, "word_vectors": False})


def _with_min_steps(params: Params, name: str, reviews: int) -> ModelParams:
    """With few reviews an epoch has few steps: more epochs, until there are `min_steps`."""
    model = _model(params, name)
    steps = -(-reviews // model.batch_size)
    return _without_early_stopping(model, max(model.max_epochs, -(-params.claims.min_steps // steps)))


def _long_range(
    params: Params, name: str, architecture: str, seed: int, length: int, changes: dict[str, Any]
) -> Experiment:
    common = merged(params.claims.long_range_model, {"max_length": length + MAX_VERDICT, "pooling": ["last"]})
    model = _without_early_stopping(updated(params.model_of(architecture), merged(common, changes)))
    return Experiment(
        name=name, model=model, seed=seed, reviews=params.claims.long_range_reviews, dependency_length=length
    )
