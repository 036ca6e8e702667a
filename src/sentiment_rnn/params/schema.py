"""The sections of params.yaml. Each forbids unknown keys and wrong types; what cannot work together is refused."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sentiment_rnn.errors import UserError
from sentiment_rnn.models import ENCODERS

Share = Annotated[float, Field(ge=0, lt=1)]
Count = Annotated[int, Field(ge=1)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


UNREAD_BY_CMA_ES = (
    "word_dropout", "embedding_dropout", "dropout", "learning_rate", "schedule", "adam_epsilon", "gradient_clip",
    "label_smoothing", "adversarial",
)  # fmt: skip
WITHOUT_GATES = ("rnn", "echo_state", "transformer")


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


class SampleParams(Section):
    """The generated corpus: reviews in each split, and the seed of the first."""

    train: Annotated[int, Field(ge=20)]
    test: Annotated[int, Field(ge=20)]
    unsupervised: Annotated[int, Field(ge=2)]
    seed: int


class DataParams(Section):
    """Where the reviews come from, and how validation is cut where it is not cut by movie."""

    source: Literal["auto", "hub", "mirror", "sample"]
    mirror: str | None
    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    seed: int
    sample: SampleParams


class TokenizerParams(Section):
    """The vocabulary: at most `vocab_size` words that occur at least `min_frequency` times in train."""

    vocab_size: Annotated[int, Field(ge=3)]
    min_frequency: Count


class TrainerParams(Section):
    """Handed to Lightning's Trainer; `precision: auto` takes bf16-mixed where the device computes in it."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    devices: Literal["auto"] | Count | Annotated[list[int], Field(min_length=1)]
    strategy: Literal["auto", "ddp"]
    num_nodes: Literal["auto"] | Count
    precision: Literal["auto", "32-true", "bf16-mixed", "64-true"]

    @model_validator(mode="after")
    def _possible(self) -> "TrainerParams":
        if self.accelerator == "cpu" and isinstance(self.devices, list):
            raise ValueError("devices on the CPU is a number of processes or auto, not a list")
        return self


class ModelParams(Section):
    """One architecture: what it reads, what it is made of, how it is trained."""

    # what it reads
    vocab_size: Annotated[int, Field(ge=3)]
    max_length: Count
    truncation: Literal["head", "tail", "both"]
    padding: Literal["back", "front"]
    # what it is made of
    cell: Literal[tuple(ENCODERS)]  # type: ignore[valid-type]
    bidirectional: bool
    num_layers: Count
    embedding_size: Count
    hidden_size: Count
    initial: Literal["keras", "torch"]
    memory: Annotated[int, Field(ge=2)] | None
    merge: Literal["concat", "sum", "mean", "max", "probability"]
    window: Count
    spectral_radius: Annotated[float, Field(gt=0)]
    leak: Annotated[float, Field(gt=0, le=1)]
    input_scale: Annotated[float, Field(gt=0)]
    heads: Count
    pooling: Annotated[list[Literal["last", "mean", "max", "attention"]], Field(min_length=1)]
    word_dropout: Share
    embedding_dropout: Share
    dropout: Share
    # how it is trained
    optimizer: Literal["adam", "cma_es"]
    trained: Literal["all", "readout", "readout_and_biases"]
    protocol: Literal["holdout", "document"]
    batch_size: Count
    max_epochs: Count
    patience: Count
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    schedule: Literal["constant", "one_cycle"]
    adam_epsilon: Annotated[float, Field(gt=0)]
    gradient_clip: Annotated[float, Field(gt=0)] | None
    label_smoothing: Share
    adversarial: Annotated[float, Field(gt=0)] | None
    ema: Annotated[float, Field(gt=0, lt=1)] | None
    teacher: Literal["tfidf_logistic", "nb_logistic"] | None
    teacher_epochs: Count
    seeds: Annotated[list[int], Field(min_length=1)]
    # what becomes of it
    average: bool

    @model_validator(mode="after")
    def _possible(self) -> "ModelParams":
        if len(set(self.pooling)) < len(self.pooling):
            raise ValueError("pooling names the same way twice")
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds names the same seed twice")
        if "heads" in ENCODERS[self.cell].options and self.embedding_size % self.heads:
            raise ValueError(f"embedding_size: {self.embedding_size} does not divide among {self.heads} heads")
        if self.optimizer == "cma_es" and self.trained == "all":
            raise ValueError("trained: all is too many parameters for optimizer cma_es; readout or readout_and_biases")
        if self.optimizer == "cma_es" and self.ema is not None:
            raise ValueError("ema: CMA-ES keeps a mean of its own: null")
        if self.trained == "readout_and_biases" and self.cell in WITHOUT_GATES:
            raise ValueError(f"trained: readout_and_biases needs a cell with gates, which {self.cell} is not; readout")
        return self

    def reads(self, key: str) -> bool:
        """Whether the parameter `key` makes a difference to the training."""
        return self.optimizer != "cma_es" or key not in UNREAD_BY_CMA_ES

    def architecture(self) -> dict[str, Any]:
        """The arguments of `models.Classifier`."""
        names = {
            "vocab_size", "embedding_size", "cell", "hidden_size", "num_layers", "bidirectional", "initial",
            "memory", "merge", "window", "spectral_radius", "leak", "input_scale", "heads", "pooling", "word_dropout",
            "embedding_dropout", "dropout",
        }  # fmt: skip
        return self.model_dump(include=names)

    def of_one_seed(self) -> dict[str, Any]:
        """What decides a training besides its seed: all but which seeds there are, and what becomes of their models."""
        return self.model_dump(exclude={"seeds", "average"})

    def encoding(self) -> dict[str, Any]:
        """The arguments of `data.batches.Encoding`."""
        return self.model_dump(include={"vocab_size", "max_length", "truncation", "padding"})


class Drawn(Section):
    """A searched parameter. `when: {other: values}`: it is drawn only where each `other` has one of its `values`."""

    when: dict[str, Annotated[list[int | float | str | bool], Field(min_length=1)]] = {}

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether it is drawn in a model of these values."""
        return all(values[other] in allowed for other, allowed in self.when.items())


class Range(Drawn):
    """From `low` to `high`, drawn on a logarithmic scale if `log`."""

    low: float
    high: float
    log: bool = False

    def holds(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return isinstance(value, int | float) and self.low <= value <= self.high


class FloatRange(Range):
    """A number of the range."""

    type: Literal["float"]


class IntRange(Range):
    """A whole number of the range."""

    type: Literal["int"]
    low: int
    high: int

    def holds(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return isinstance(value, int) and super().holds(value)


class Choices(Drawn):
    """One of a few values."""

    type: Literal["choice"]
    choices: Annotated[list[int | float | str | bool], Field(min_length=2)]

    def holds(self, value: Any) -> bool:
        """Whether `value` can be drawn."""
        return value in self.choices


# what would make another architecture of it, or a trial longer than the search allows
FIXED_IN_A_STUDY = ("cell", "bidirectional", "optimizer", "trained", "protocol", "max_epochs", "seeds", "average")

Distribution = Annotated[FloatRange | IntRange | Choices, Field(discriminator="type")]


class SearchParams(Section):
    """An Optuna study for each architecture; what it finds is taken if it gains `min_gain` over the defaults."""

    trials: Annotated[int, Field(ge=0)]
    workers: Literal["auto"] | Count
    storage: Annotated[str, Field(pattern=r"^[a-z0-9+]+://")] | None
    pruner: Literal["none", "median", "hyperband"]
    max_epochs: Count
    train_fraction: Annotated[float, Field(gt=0, le=1)]
    min_gain: Annotated[float, Field(ge=0)]
    seed: int
    space: dict[str, Distribution]


class RivalParams(Section):
    """A linear rival: runs of 1 to `max_ngram` tokens that stand in `min_df` train reviews or more.

    One of the values `c` is chosen on validation: the inverse of the penalty on large weights.
    """

    max_ngram: Count
    min_df: Count
    c: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]


class LinearParams(Section):
    """The linear rivals that are run, and each one's own parameters."""

    rivals: Annotated[list[Literal["tfidf_logistic", "nb_logistic"]], Field(min_length=1)]
    tfidf_logistic: RivalParams
    nb_logistic: RivalParams

    @model_validator(mode="after")
    def _possible(self) -> "LinearParams":
        if len(set(self.rivals)) < len(self.rivals):
            raise ValueError("rivals names the same one twice")
        return self


class RegistryParams(Section):
    """The registered model's name, and the architectures that may become a version of it."""

    name: Name
    candidates: Annotated[list[str], Field(min_length=1)]


class ClaimsParams(Section):
    """The trainings that `make claims` compares: `model` and `distance_model` change the architectures' values."""

    seeds: Annotated[list[int], Field(min_length=3)]  # below three there is no interval to speak of
    workers: Literal["auto"] | Count
    model: dict[str, Any]
    reviews: Count
    learning_curve: Annotated[list[Count], Field(min_length=1)]
    min_steps: Count
    gradient_steps: Count
    distances: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=2)]
    distance_reviews: Annotated[int, Field(ge=40)]
    distance_model: dict[str, Any]
    spectral_radii: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=3)]
    reservoir_distance: Count
    reservoir_model: dict[str, Any]
    labelled: Annotated[list[Count], Field(min_length=1)]
    pretraining_reviews: Count

    @model_validator(mode="after")
    def _possible(self) -> "ClaimsParams":
        for key in ("seeds", "learning_curve", "distances", "spectral_radii", "labelled"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key} names one twice")
        if not min(self.spectral_radii) < 1 < max(self.spectral_radii):
            raise ValueError("spectral_radii should have one below 1 and one above")
        for key in ("model", "distance_model", "reservoir_model"):
            if fixed := {"cell", "pooling", "protocol", "num_layers", "bidirectional"} & getattr(self, key).keys():
                raise ValueError(f"{key}: {min(fixed)} is what the claims compare: it cannot be the same for all")
        return self


class Params(Section):
    """The whole of params.yaml."""

    data: DataParams
    tokenizer: TokenizerParams
    trainer: TrainerParams
    model: ModelParams
    models: dict[Name, ModelParams]
    architectures: Annotated[list[str], Field(min_length=1)]
    search: SearchParams
    linear: LinearParams
    registry: RegistryParams
    claims: ClaimsParams

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Give every architecture the values of `model` that it does not change."""
        if isinstance(values, dict) and isinstance(values.get("models"), dict):
            shared = values.get("model")
            if not isinstance(shared, dict):
                raise ValueError("model: missing; it holds what every architecture starts from")
            models = {}
            for name, changes in values["models"].items():
                if not isinstance(changes, dict):
                    raise ValueError(f"models.{name}: should be a mapping of what it changes in `model`")
                models[name] = shared | changes
            values = values | {"models": models}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "Params":
        if len(set(self.architectures)) < len(self.architectures):
            raise ValueError(f"architectures: {', '.join(self.architectures)} names one twice")
        for key, names in (
            ("architectures", self.architectures),
            ("registry.candidates", self.registry.candidates),
        ):
            for name in names:
                if name not in self.models:
                    raise ValueError(f"{key}: {name} is not one of {', '.join(self.models)}")
        for name in self.registry.candidates:
            if self.models[name].protocol == "document":
                raise ValueError(f"registry.candidates: {name} has protocol document: no validation to be judged by")
        if not set(self.registry.candidates) & set(self.architectures):
            raise ValueError("registry.candidates: none of them is in architectures, so none would be trained")
        for name in self.linear.rivals:
            if name in self.models:
                raise ValueError(f"models.{name}: a linear rival has that name, and its row in the comparison")
        for name, model in self.models.items():
            self._check_together(f"models.{name}", model)
        for key in ("model", "distance_model", "reservoir_model"):
            for model in self.models.values():
                try:
                    with_values(model, getattr(self.claims, key))
                except ValidationError as error:
                    item = error.errors()[0]
                    where = ".".join(["claims", key, *map(str, item["loc"])])
                    raise ValueError(f"{where}: {item['msg'].removeprefix('Value error, ')}") from None
        above: dict[str, Drawn] = {}
        for key, drawn in self.search.space.items():
            for model in _ends(key, drawn, self.models[self.architectures[0]]):
                self._check_together("search.space", model)
            _check_condition(key, drawn, above, self)
            above[key] = drawn
        return self

    def _check_together(self, where: str, model: ModelParams) -> None:
        """What an architecture asks for must be there."""
        if model.vocab_size > self.tokenizer.vocab_size:
            raise ValueError(
                f"{where}.vocab_size: {model.vocab_size} is more than tokenizer.vocab_size, {self.tokenizer.vocab_size}"
            )
        _check_devices(where, model, self.trainer)

    def model_of(self, name: str) -> ModelParams:
        """The parameters of the architecture `name`.

        Raises:
            UserError: there is none of that name.
        """
        if name not in self.models:
            raise UserError(f"no architecture {name} in params.yaml; there are {', '.join(self.models)}")
        return self.models[name]

    def rival_of(self, name: str) -> RivalParams:
        """The parameters of the linear rival `name`.

        Raises:
            UserError: there is none of that name.
        """
        names = [key for key in LinearParams.model_fields if key != "rivals"]
        if name not in names:
            raise UserError(f"no linear rival {name} in params.yaml; there are {', '.join(names)}")
        rival: RivalParams = getattr(self.linear, name)
        return rival


def _check_devices(where: str, model: ModelParams, trainer: TrainerParams) -> None:
    if isinstance(trainer.devices, str):
        return  # known when the processes have started: data.datamodule says it then, as it does for several nodes
    nodes = trainer.num_nodes if isinstance(trainer.num_nodes, int) else 1
    processes = nodes * (trainer.devices if isinstance(trainer.devices, int) else len(trainer.devices))
    if model.batch_size % processes:
        raise ValueError(
            f"{where}.batch_size: {model.batch_size} does not divide among trainer.devices x trainer.num_nodes = "
            f"{processes} processes"
        )


def _ends(key: str, drawn: FloatRange | IntRange | Choices, model: ModelParams) -> list[ModelParams]:
    """`model` with each choice, or with both ends of the range: what params.yaml might have said."""
    where = f"search.space.{key}"
    if key not in ModelParams.model_fields or key in FIXED_IN_A_STUDY:
        allowed = [name for name in ModelParams.model_fields if name not in FIXED_IN_A_STUDY]
        raise ValueError(f"{where}: not a parameter that can be searched; allowed: {', '.join(allowed)}")
    if isinstance(drawn, Choices):
        ends: list[Any] = drawn.choices
    else:
        if not drawn.low < drawn.high:
            raise ValueError(f"{where}: low must be below high")
        if drawn.log and drawn.low <= 0:
            raise ValueError(f"{where}: a logarithmic scale needs low above 0")
        ends = [drawn.low, drawn.high]
    models = []
    for value in ends:
        try:
            models.append(with_values(model, {key: value}))
        except ValidationError as error:
            raise ValueError(f"{where}: {value!r} cannot be drawn: {error.errors()[0]['msg']}") from None
    return models


def _check_condition(key: str, drawn: Drawn, above: Mapping[str, Any], params: Params) -> None:
    """A condition names a parameter and values that it may have; one that is searched too stands above."""
    model = params.models[params.architectures[0]]
    for other, allowed in drawn.when.items():
        where = f"search.space.{key}.when.{other}"
        if other not in ModelParams.model_fields:
            raise ValueError(f"{where}: not a parameter of an architecture")
        if other in params.search.space and other not in above:
            raise ValueError(f"{where}: {other} has to stand above {key} in search.space")
        for value in allowed:
            if other in above and not above[other].holds(value):
                raise ValueError(f"{where}: {value!r} cannot be drawn for {other}")
            try:
                with_values(model, {other: value})
            except ValidationError as error:
                raise ValueError(f"{where}: {value!r} cannot be: {error.errors()[0]['msg']}") from None


def with_values(model: ModelParams, values: dict[str, Any]) -> ModelParams:
    """`model` with some of its values changed, validated again."""
    return ModelParams(**(model.model_dump() | values))
