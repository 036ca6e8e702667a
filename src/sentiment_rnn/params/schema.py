"""The sections of params.yaml. Each forbids unknown keys and wrong types; incompatible values are refused."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sentiment_rnn.errors import UserError
from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.section import Name, PositiveFloat, PositiveInt, Section, first_message, merged, updated
from sentiment_rnn.params.space import SearchedParam, SearchParams, check_condition, range_ends


class DataParams(Section):
    """The data set, a key of `datasets`, and how validation is split off where its rows name no groups."""

    dataset: Name
    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    seed: int


class HubDataset(Section):
    """A data set of the Hugging Face hub, or a mirror folder in the hub's layout, which takes precedence."""

    hub: Annotated[str, Field(min_length=1)]
    mirror: str | None


class SyntheticDataset(Section):
    """The synthetic corpus: reviews in each split, and the seed of the first."""

    train: Annotated[int, Field(ge=20)]
    test: Annotated[int, Field(ge=20)]
    unsupervised: Annotated[int, Field(ge=2)]
    seed: int


class DatasetsParams(Section):
    """Every data set that `data.dataset` may name."""

    imdb: HubDataset
    synthetic: SyntheticDataset


class TokenizerParams(Section):
    """The vocabulary: at most `vocab_size` words that occur at least `min_frequency` times in train."""

    vocab_size: Annotated[int, Field(ge=3)]
    min_frequency: PositiveInt


class WordVectorsParams(Section):
    """Skip-gram of `size` features: `window` words to each side, `negative` sampled words against each of them.

    Words that occur less than `min_count` times are left out. Words above the frequency `sample` are skipped at random,
    the more often the more frequent they are (0: never).
    """

    size: PositiveInt
    window: PositiveInt
    negative: PositiveInt
    epochs: PositiveInt
    min_count: PositiveInt
    sample: Annotated[float, Field(ge=0, lt=1)]
    seed: int


class TrainerParams(Section):
    """Arguments of Lightning's Trainer; `training.devices` resolves every `auto`."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    devices: Literal["auto"] | PositiveInt | Annotated[list[int], Field(min_length=1)]
    strategy: Literal["auto", "ddp"]
    num_nodes: Literal["auto"] | PositiveInt
    precision: Literal["auto", "32-true", "bf16-mixed", "64-true"]

    @model_validator(mode="after")
    def _compatible(self) -> "TrainerParams":
        if self.accelerator == "cpu" and isinstance(self.devices, list):
            raise ValueError("devices on the CPU is a number of processes or auto, not a list")
        return self


class BaselineParams(Section):
    """A linear baseline: n-grams of 1 to `max_ngram` tokens that occur in at least `min_df` train reviews.

    `C`: candidates for the inverse of the regularization strength, of which the validation loss selects one.
    """

    max_ngram: PositiveInt
    min_df: PositiveInt
    C: Annotated[list[PositiveFloat], Field(min_length=1)]


BASELINES = ("tfidf_logistic", "nb_logistic")


class BaselinesParams(Section):
    """The linear baselines."""

    tfidf_logistic: BaselineParams
    nb_logistic: BaselineParams


class GateParams(Section):
    """What a version may cost that becomes champion: calibration error above the champion's, milliseconds."""

    max_ece_increase: Annotated[float, Field(ge=0, le=1)]
    max_latency_ms: PositiveFloat


class RegistryParams(Section):
    """The trained model that is registered, as its path below `models/`, and the gate to the alias champion."""

    candidate: Annotated[str, Field(pattern=r"^(family|distilled)/[A-Za-z0-9][A-Za-z0-9_-]*$")]
    gate: GateParams

    @property
    def architecture(self) -> str:
        """The candidate's architecture."""
        return PurePosixPath(self.candidate).name


class ClaimsParams(Section):
    """The trainings that `make claims` compares: `model` and `long_range_model` change the architectures' values."""

    seeds: Annotated[list[int], Field(min_length=3)]  # below three an interval says nothing
    workers: Literal["auto"] | PositiveInt
    model: dict[str, Any]
    reviews: PositiveInt
    learning_curve: Annotated[list[PositiveInt], Field(min_length=1)]
    min_steps: PositiveInt
    gradient_steps: PositiveInt
    dependency_lengths: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=2)]
    long_range_reviews: Annotated[int, Field(ge=40)]
    long_range_model: dict[str, Any]
    spectral_radii: Annotated[list[PositiveFloat], Field(min_length=3)]
    reservoir_dependency_length: PositiveInt
    reservoir_model: dict[str, Any]
    labelled: Annotated[list[PositiveInt], Field(min_length=1)]
    pretraining_reviews: PositiveInt

    @model_validator(mode="after")
    def _compatible(self) -> "ClaimsParams":
        for key in ("seeds", "learning_curve", "dependency_lengths", "spectral_radii", "labelled"):
            values = getattr(self, key)
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: the same value twice")
        if not min(self.spectral_radii) < 1 < max(self.spectral_radii):
            raise ValueError("spectral_radii should have one below 1 and one above")
        for key in ("model", "long_range_model", "reservoir_model"):
            if fixed := {"cell", "pooling", "protocol", "num_layers", "bidirectional"} & getattr(self, key).keys():
                raise ValueError(f"{key}: {min(fixed)} is what the claims compare: it cannot be the same for all")
        return self


class AblationParams(Section):
    """The trainings that `make ablation` compares: changes of `architecture`, in all of them and in each variant."""

    architecture: Name
    seeds: Annotated[list[int], Field(min_length=3)]  # below three an interval says nothing
    workers: Literal["auto"] | PositiveInt
    model: dict[str, Any]
    variants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]

    @model_validator(mode="after")
    def _compatible(self) -> "AblationParams":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: the same value twice")
        return self


class Params(Section):
    """The whole of params.yaml."""

    data: DataParams
    datasets: DatasetsParams
    tokenizer: TokenizerParams
    word_vectors: WordVectorsParams
    trainer: TrainerParams
    model: ModelParams
    models: dict[Name, ModelParams]
    architectures: Annotated[list[str], Field(min_length=1)]
    search: SearchParams
    baselines: BaselinesParams
    registry: RegistryParams
    claims: ClaimsParams
    ablation: AblationParams

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, values: Any) -> Any:
        """Give every architecture the values of `model` that it does not change."""
        if isinstance(values, dict) and isinstance(values.get("models"), dict):
            shared = values.get("model")
            if not isinstance(shared, dict):
                raise ValueError("model: missing; it holds the values that every architecture starts from")
            models = {}
            for name, changes in values["models"].items():
                if not isinstance(changes, dict):
                    raise ValueError(f"models.{name}: should be a mapping of what it changes in `model`")
                models[name] = merged(shared, changes)
            values = values | {"models": models}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "Params":
        if self.data.dataset not in DatasetsParams.model_fields:
            raise ValueError(
                f"data.dataset: {self.data.dataset} is not one of {', '.join(DatasetsParams.model_fields)}"
            )
        if len(set(self.architectures)) < len(self.architectures):
            raise ValueError(f"architectures: the same value twice in {', '.join(self.architectures)}")
        for key, names in (
            ("architectures", self.architectures),
            ("search.architectures", self.search.architectures),
            ("registry.candidate", [self.registry.architecture]),
            ("ablation.architecture", [self.ablation.architecture]),
        ):
            for name in names:
                if name not in self.models:
                    raise ValueError(f"{key}: {name} is not one of {', '.join(self.models)}")
        for name in self.search.architectures:
            if self.models[name].teachers or self.models[name].protocol == "keras_reference":
                raise ValueError(f"search.architectures: {name} is distilled or has no validation split")
        for name in BASELINES:
            if name in self.models:
                raise ValueError(f"models.{name}: a linear baseline has that name, and its row in the comparison")
        self._check_candidate()
        for name, model in self.models.items():
            self._check_model(f"models.{name}", model)
            if model.teachers and name in self.architectures:
                raise ValueError(f"models.{name}.teachers: the stage train@{name} has none: []")
            others: list[str] = [*BASELINES, *(other for other in self.models if other != name)]
            if unknown := [teacher for teacher in model.teachers if teacher not in others]:
                raise ValueError(f"models.{name}.teachers: {unknown[0]} is not one of {', '.join(others)}")
        self._check_claims()
        self._check_variants()
        self._check_space()
        return self

    def _check_candidate(self) -> None:
        name = self.registry.architecture
        if self.registry.candidate != self.path_of(name):
            raise ValueError(f"registry.candidate: {name} is trained to models/{self.path_of(name)}")
        if self.models[name].protocol == "keras_reference":
            raise ValueError(f"registry.candidate: {name} has no validation split to be calibrated on")
        if not self.models[name].teachers and name not in self.architectures:
            raise ValueError(f"registry.candidate: {name} is not in architectures, so no stage trains it")

    def _check_claims(self) -> None:
        for key in ("model", "long_range_model", "reservoir_model"):
            for model in self.models.values():
                try:
                    updated(model, getattr(self.claims, key))
                except ValidationError as error:
                    raise ValueError(f"claims.{key}: {first_message(error)}") from None

    def _check_variants(self) -> None:
        """Each variant is a model whose pseudo-labels a stage writes."""
        for name, changes in self.ablation.variants.items():
            where = f"ablation.variants.{name}"
            changes = merged(self.ablation.model, changes)
            if fixed := {"protocol", "seeds", "ensemble"} & changes.keys():
                raise ValueError(f"{where}: {min(fixed)} is the same for all variants")
            try:
                model = updated(self.models[self.ablation.architecture], changes)
            except ValidationError as error:
                raise ValueError(f"{where}: {first_message(error)}") from None
            self._check_model(where, model)
            if model.teachers and not self.with_teachers(model.teachers):
                raise ValueError(f"{where}.teachers: no entry of models has just these")

    def _check_space(self) -> None:
        above: dict[str, SearchedParam] = {}
        for key, searched in self.search.space.items():
            first = self.models[self.architectures[0]]
            for model in range_ends(key, searched, first):
                self._check_model("search.space", model)
            check_condition(key, searched, above, self.search.space, first)
            above[key] = searched

    def _check_model(self, where: str, model: ModelParams) -> None:
        """What an architecture needs of the other sections."""
        if model.vocab_size > self.tokenizer.vocab_size:
            raise ValueError(
                f"{where}.vocab_size: {model.vocab_size} is more than tokenizer.vocab_size, {self.tokenizer.vocab_size}"
            )
        if model.word_vectors and model.embedding_size != self.word_vectors.size:
            raise ValueError(
                f"{where}.embedding_size: {model.embedding_size}, but word_vectors.size is {self.word_vectors.size}: "
                "the same, or word_vectors: false"
            )
        _check_devices(where, model, self.trainer)

    def path_of(self, name: str) -> str:
        """Where an architecture's model is below `models/`, and its report below `reports/train/`."""
        return f"{'distilled' if self.model_of(name).teachers else 'family'}/{name}"

    def with_teachers(self, teachers: list[str]) -> str | None:
        """An architecture that has just these teachers."""
        return next((name for name, model in self.models.items() if model.teachers == teachers), None)

    def model_of(self, name: str) -> ModelParams:
        """The parameters of the architecture `name`.

        Raises:
            UserError: there is no such architecture.
        """
        if name not in self.models:
            raise UserError(f"no architecture {name} in params.yaml; there are {', '.join(self.models)}")
        return self.models[name]

    def baseline_of(self, name: str) -> BaselineParams:
        """The parameters of the linear baseline `name`.

        Raises:
            UserError: there is no such baseline.
        """
        if name not in BASELINES:
            raise UserError(f"no baseline {name} in params.yaml; there are {', '.join(BASELINES)}")
        baseline: BaselineParams = getattr(self.baselines, name)
        return baseline

    @property
    def registered_name(self) -> str:
        """The registered model's name, which tells its data set: `imdb-bilstm`, `synthetic-bilstm`."""
        return f"{self.data.dataset}-bilstm"


def _check_devices(where: str, model: ModelParams, trainer: TrainerParams) -> None:
    if isinstance(trainer.devices, str):
        return  # known on the machine alone: `training.devices` chooses a number that divides the batch
    nodes = trainer.num_nodes if isinstance(trainer.num_nodes, int) else 1
    processes = nodes * (trainer.devices if isinstance(trainer.devices, int) else len(trainer.devices))
    if model.batch_size % processes:
        raise ValueError(
            f"{where}.batch_size: {model.batch_size} does not divide among trainer.devices x trainer.num_nodes = "
            f"{processes} processes"
        )
