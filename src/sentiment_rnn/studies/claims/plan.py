"""Which trainings the claims need: a few families, each with every seed."""

from collections.abc import Iterator
from typing import Any

from sentiment_rnn.params import ModelParams, Params, updated
from sentiment_rnn.params.section import merged
from sentiment_rnn.studies.claims.experiment import Experiment
from sentiment_rnn.studies.claims.long_range import VERDICT

# what the claims compare on the reviews at hand, by architecture
COMPARED = (
    "lstm", "bilstm", "rnn", "gru", "stacked_lstm", "attention_lstm", "attention_bilstm", "peephole_lstm",
    "coupled_lstm", "mlstm", "transformer",
)  # fmt: skip
LAST = ("rnn", "lstm")  # also with the last state alone for an answer, where memory shows
# where memory may start from, on the long-range dial: architecture, initial values, gates opened for the distance
STARTS = {
    "rnn": ("rnn", "keras", False),
    "lstm": ("lstm", "keras", False),
    "lstm, open gates": ("lstm", "keras", True),
    "rnn, torch's start": ("rnn", "torch", False),
    "lstm, torch's start": ("lstm", "torch", False),
}
CURVES = ("lstm", "gru")  # with fewer reviews


def with_reviews(name: str, reviews: int) -> str:
    """The name of an experiment with fewer labelled reviews."""
    return f"{name}, {reviews:,} reviews"


def all_reviews(name: str) -> str:
    """The name of an experiment with all of train."""
    return f"{name}, all reviews"


def pretrained(name: str, reviews: int) -> str:
    """The name of an experiment that starts from a language model."""
    return f"{name}, pre-trained, {reviews:,} reviews"


def last_state(name: str) -> str:
    """The name of an experiment that answers from its last state."""
    return f"{name}, last state"


def double_width(name: str) -> str:
    """The name of an experiment with twice the units."""
    return f"{name}, twice the units"


def long_range(name: str, dependency_length: int) -> str:
    """The name of an experiment on the long-range dial."""
    return f"{name}, dependency length {dependency_length}"


def reservoir(radius: float) -> str:
    """The name of an experiment with a spectral radius."""
    return f"echo_state, spectral radius {radius:g}"


def plan(params: Params) -> list[Experiment]:
    """All experiments, seed by seed."""
    return [experiment for seed in params.claims.seeds for experiment in _of_seed(params, seed)]


def _of_seed(params: Params, seed: int) -> Iterator[Experiment]:
    claims = params.claims
    for length in claims.dependency_lengths:
        for name, (architecture, initializer, open_gates) in STARTS.items():
            values: dict[str, Any] = {"initializer": initializer, "chrono_init": length if open_gates else None}
            yield _long_range(params, long_range(name, length), architecture, seed, length, values)
    for radius in claims.spectral_radii:
        values = merged(claims.reservoir_model, {"echo_state": {"spectral_radius": radius}})
        yield _long_range(params, reservoir(radius), "echo_state", seed, claims.reservoir_dependency_length, values)
    for name in COMPARED:
        yield Experiment(name=name, model=_model(params, name), seed=seed, reviews=claims.reviews)
    units = 2 * params.model_of("lstm").hidden_size
    yield Experiment(
        name=double_width("lstm"), model=_model(params, "lstm", hidden_size=units), seed=seed, reviews=claims.reviews
    )
    for name in LAST:
        model = _model(params, name, pooling=["last"])
        yield Experiment(
            name=last_state(name), model=model, seed=seed, reviews=claims.reviews, gradients=claims.gradient_steps
        )
    for name in CURVES:
        yield Experiment(name=all_reviews(name), model=_model(params, name), seed=seed)
        for reviews in claims.learning_curve:
            yield Experiment(
                name=with_reviews(name, reviews), model=_short(params, name, reviews), seed=seed, reviews=reviews
            )
    for reviews in claims.labelled:
        short = _short(params, "mlstm", reviews)
        yield Experiment(name=with_reviews("mlstm", reviews), model=short, seed=seed, reviews=reviews)
        read = claims.pretraining_reviews
        yield Experiment(name=pretrained("mlstm", reviews), model=short, seed=seed, reviews=reviews, pretraining=read)


def _model(params: Params, name: str, **values: Any) -> ModelParams:
    return _to_the_end(updated(params.model_of(name), {**params.claims.model, **values}))


def _to_the_end(model: ModelParams, epochs: int | None = None) -> ModelParams:
    """Without early stopping: the last epoch is scored, at the end of its schedule."""
    epochs = epochs or model.max_epochs
    return updated(model, {"max_epochs": epochs, "patience": epochs})


def _short(params: Params, name: str, reviews: int) -> ModelParams:
    """With few reviews an epoch has few steps: more epochs, until there are `min_steps`."""
    model = _model(params, name)
    steps = -(-reviews // model.batch_size)
    return _to_the_end(model, max(model.max_epochs, -(-params.claims.min_steps // steps)))


def _long_range(params: Params, name: str, architecture: str, seed: int, length: int, values: Any) -> Experiment:
    changes = merged(
        merged(params.claims.long_range_model, {"max_length": length + VERDICT, "pooling": ["last"]}), values
    )
    model = _to_the_end(updated(params.model_of(architecture), changes))
    return Experiment(
        name=name, model=model, seed=seed, reviews=params.claims.long_range_reviews, dependency_length=length
    )
