"""The experiments that the claims need, by name."""

from collections.abc import Iterator
from typing import Any, NamedTuple

from sentiment_rnn.params import ClaimsParams, ModelParams, Params, updated
from sentiment_rnn.params.section import merged
from sentiment_rnn.studies.claims.accuracy import WORD_VECTORS, ReviewTraining
from sentiment_rnn.studies.claims.memory import MemoryTraining
from sentiment_rnn.studies.claims.reservoir import CapacityMeasurement
from sentiment_rnn.studies.claims.tasks import TaskName
from sentiment_rnn.studies.experiment import CachedExperiment
from sentiment_rnn.training import pretrained as word_vectors

# architectures of params.yaml that are compared on the data set's reviews
COMPARED = (
    "lstm", "bilstm", "gru", "stacked_lstm", "attention_lstm", "peephole_lstm", "coupled_lstm", "mlstm", "transformer",
)  # fmt: skip
FROM_SCRATCH = ("lstm", "bilstm", "gru", "stacked_lstm", "attention_lstm")  # also without word vectors
LEARNING_CURVES = ("lstm", "gru")  # also with fewer reviews
TASKS: tuple[TaskName, ...] = ("adding", "copy", "long-range")


class Cell(NamedTuple):
    """A cell of the tasks that need memory: its name in params.yaml, and how it is initialized."""

    architecture: str
    chrono_init: bool = False


CELLS = {"lstm": Cell("lstm"), "rnn": Cell("rnn"), "lstm, chrono initialization": Cell("lstm", chrono_init=True)}
INITIALIZERS = ("keras", "torch")


class Plan(NamedTuple):
    """Experiments without their seeds.

    Attributes:
        experiments: by name.
        tuned_as: by name, the experiment whose selected learning rate it takes, often its own.
    """

    experiments: dict[str, CachedExperiment]
    tuned_as: dict[str, str]


# names of experiments


def memory(cell: str, task: TaskName, length: int) -> str:
    """A cell of `CELLS` on a task at one length."""
    return f"{cell}, {task}, T = {length}"


def untrained(architecture: str, initializer: str) -> str:
    """A cell whose gradients are measured as it is initialized."""
    return f"{architecture}, {initializer} initializer, untrained"


def capacity(radius: float) -> str:
    """An echo state network with a spectral radius."""
    return f"echo_state, spectral radius {radius:g}"


def with_reviews(name: str, reviews: int) -> str:
    """With fewer labeled reviews."""
    return f"{name}, {reviews:,} reviews"


def from_scratch(name: str) -> str:
    """Without word vectors."""
    return f"{name}, from scratch"


def pretrained(name: str) -> str:
    """Initialized with a language model."""
    return f"{name}, pre-trained"


def pooled(name: str, pooling: str) -> str:
    """With another pooling than the architecture's own."""
    return f"{name}, {pooling} state" if pooling == "last" else f"{name}, {pooling} pooling"


SAME_WEIGHTS = "lstm, weights of bilstm"


def make_plan(params: Params) -> Plan:
    """All experiments; the cheap and central ones come first."""
    experiments: dict[str, CachedExperiment] = {}
    tuned_as: dict[str, str] = {}
    for experiment in (*_reservoir(params), *_memory(params)):
        experiments[experiment.name] = experiment
    for cell in CELLS:
        for task, lengths in params.claims.memory.lengths.items():
            tuned_as |= {memory(cell, task, length): memory(cell, task, min(lengths)) for length in lengths}
    for experiment, tuned in _accuracy(params):
        experiments[experiment.name] = experiment
        tuned_as[experiment.name] = tuned
    return Plan(experiments, tuned_as)


def candidates(plan: Plan, claims: ClaimsParams) -> dict[str, list[CachedExperiment]]:
    """By the name of a tuned experiment, its trainings with each candidate of the learning rate."""
    return {
        name: [
            with_learning_rate(plan.experiments[name], rate).model_copy(
                update={"name": f"{name}, learning rate {rate:g}", "seed": claims.tuning_seed}
            )
            for rate in claims.learning_rates
        ]
        for name in dict.fromkeys(plan.tuned_as.values())
    }


def with_rates(plan: Plan, rates: dict[str, float]) -> dict[str, CachedExperiment]:
    """The experiments by name, with the learning rates that were selected for the tuned ones."""
    return {
        name: with_learning_rate(experiment, rates[plan.tuned_as[name]]) if name in plan.tuned_as else experiment
        for name, experiment in plan.experiments.items()
    }


def with_learning_rate(experiment: CachedExperiment, rate: float) -> CachedExperiment:
    """The experiment with another learning rate."""
    return experiment.model_copy(update={"model": updated(experiment.model, {"learning_rate": rate})})


def with_seeds(experiment: CachedExperiment, count: int) -> list[CachedExperiment]:
    """The experiment with each of the seeds 1 to `count`."""
    return [experiment.model_copy(update={"seed": seed}) for seed in range(1, count + 1)]


def seeds(experiment: CachedExperiment, claims: ClaimsParams) -> int:
    """With how many seeds an experiment is run at first."""
    if isinstance(experiment, MemoryTraining):
        return claims.memory.seeds
    return claims.accuracy.pilot_seeds if isinstance(experiment, ReviewTraining) else claims.reservoir.seeds


def _memory(params: Params) -> Iterator[MemoryTraining]:
    chosen = params.claims.memory

    def training(name: str, cell: Cell, task: TaskName, length: int, steps: int, **changes: Any) -> MemoryTraining:
        changes |= {"chrono_init": length if cell.chrono_init else None}
        model = updated(params.model_of(cell.architecture), merged(chosen.model, changes))
        reviews = chosen.reviews if task == "long-range" else 0
        return MemoryTraining(
            name=name, model=model, seed=0, task=task, length=length, max_steps=steps, reviews=reviews
        )

    for architecture in ("lstm", "rnn"):
        for initializer in INITIALIZERS:
            name, longest = untrained(architecture, initializer), max(chosen.lengths["adding"])
            yield training(name, Cell(architecture), "adding", longest, 0, initializer=initializer)
    for task in TASKS:
        for length in chosen.lengths[task]:
            for name, cell in CELLS.items():
                yield training(memory(name, task, length), cell, task, length, chosen.max_steps)


def _reservoir(params: Params) -> Iterator[CapacityMeasurement]:
    for radius in params.claims.reservoir.spectral_radii:
        changes = merged(params.claims.reservoir.model, {"echo_state": {"spectral_radius": radius}})
        model = updated(params.model_of("echo_state"), changes)
        yield CapacityMeasurement(name=capacity(radius), model=model, seed=0)


def _accuracy(params: Params) -> Iterator[tuple[ReviewTraining, str]]:
    """Each training, and the one whose learning rate it takes."""
    chosen = params.claims.accuracy
    digest = word_vectors.digest(params.model_of("lstm"), WORD_VECTORS)

    def model(name: str, **changes: Any) -> ModelParams:
        return _to_the_end(updated(params.model_of(name), merged(chosen.model, changes)))

    def training(name: str, model: ModelParams, reviews: int | None = chosen.reviews, **more: int) -> ReviewTraining:
        return ReviewTraining(
            name=name,
            model=model,
            seed=0,
            reviews=reviews,
            test_reviews=chosen.test_reviews,
            word_vectors_sha256=digest if model.word_vectors else None,
            **more,
        )

    for name in COMPARED:
        yield training(name, model(name)), name
    units = _units_with_weights_of_both_directions(params.model_of("bilstm"))
    yield training(SAME_WEIGHTS, model("lstm", hidden_size=units)), SAME_WEIGHTS
    for pooling in ("mean", "last"):
        name = pooled("lstm", pooling)
        yield training(name, model("lstm", pooling=[pooling])), name
    for name in FROM_SCRATCH:
        yield training(from_scratch(name), model(name, word_vectors=False)), name

    def with_min_steps(name: str, reviews: int, **changes: Any) -> ModelParams:
        """With few reviews an epoch has few steps: more epochs, until there are `min_steps`."""
        found = model(name, **changes)
        steps = -(-reviews // found.batch_size)
        return _to_the_end(found, max(found.max_epochs, -(-chosen.min_steps // steps)))

    for reviews in chosen.learning_curve:
        for name in (*LEARNING_CURVES, "mlstm"):
            yield training(with_reviews(name, reviews), with_min_steps(name, reviews), reviews), name
        scratch = with_min_steps("mlstm", reviews, word_vectors=False)
        yield training(with_reviews(from_scratch("mlstm"), reviews), scratch, reviews), "mlstm"
        name = with_reviews(pretrained("mlstm"), reviews)
        yield training(name, scratch, reviews, pretraining=chosen.pretraining_reviews), "mlstm"


def _to_the_end(model: ModelParams, epochs: int | None = None) -> ModelParams:
    """Without early stopping: the last epoch is evaluated, at the end of the learning rate's schedule."""
    epochs = epochs or model.max_epochs
    return updated(model, {"max_epochs": epochs, "patience": epochs})


def _units_with_weights_of_both_directions(bilstm: ModelParams) -> int:
    """Units of an LSTM in one direction that has about as many recurrent weights as both directions of `bilstm`."""

    def weights(units: int) -> int:
        return 4 * units * (bilstm.embedding_size + units + 2)

    goal = 2 * weights(bilstm.hidden_size)
    return min(range(1, 2 * bilstm.hidden_size + 1), key=lambda units: abs(weights(units) - goal))
