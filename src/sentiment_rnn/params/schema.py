"""The sections of params.yaml, and the checks of values that are incompatible with each other."""

from pathlib import PurePosixPath
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sentiment_rnn.errors import UserError
from sentiment_rnn.params.claims import ClaimsParams
from sentiment_rnn.params.datasets import Dataset
from sentiment_rnn.params.model import EXPORTABLE, ModelParams
from sentiment_rnn.params.section import (
    Name,
    PositiveFloat,
    PositiveInt,
    Precision,
    Section,
    first_message,
    merged,
    updated,
)
from sentiment_rnn.params.space import SearchedParam, SearchParams, check_condition, range_ends


class DataParams(Section):
    """The data set, a key of `datasets`, and the splits that it does not have itself."""

    dataset: Name
    test_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    validation_fraction: Annotated[float, Field(gt=0, lt=0.5)]
    seed: int


class TokenizerParams(Section):
    """The vocabulary: at most `vocab_size` words that occur at least `min_frequency` times in train."""

    vocab_size: Annotated[int, Field(ge=3)]
    min_frequency: PositiveInt


class WordVectorsParams(Section):
    """Skip-gram with negative sampling: `size` features, `window` words to each side, `negative` samples for each.

    Words that occur less than `min_count` times are ignored; words more frequent than `sample` are randomly downsampled
    (0: never).
    """

    size: PositiveInt
    window: PositiveInt
    negative: PositiveInt
    epochs: PositiveInt
    min_count: PositiveInt
    sample: Annotated[float, Field(ge=0, lt=1)]
    seed: int


class TrainerParams(Section):
    """Arguments of Lightning's Trainer; `training.devices` resolves `auto`."""

    accelerator: Literal["auto", "cpu", "gpu", "cuda", "mps"]
    devices: Literal["auto"] | PositiveInt | Annotated[list[int], Field(min_length=1)]
    strategy: Literal["auto", "ddp"]
    num_nodes: Literal["auto"] | PositiveInt
    precision: Precision
    min_steps: PositiveInt  # `data.fitting`

    @model_validator(mode="after")
    def _compatible(self) -> "TrainerParams":
        if self.accelerator == "cpu" and isinstance(self.devices, list):
            raise ValueError("devices: a list selects GPUs; on the CPU use a number of processes or auto")
        return self


class BaselineParams(Section):
    """A linear baseline: n-grams of 1 to `max_ngram` tokens that occur in at least `min_df` reviews of train.

    `C`: candidates for the inverse regularization strength; the validation loss selects one.
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
    """Limits for promotion to champion: increase of the calibration error, latency in milliseconds."""

    max_ece_increase: Annotated[float, Field(ge=0, le=1)]
    max_latency_ms: PositiveFloat


class RegistryParams(Section):
    """The model to register, as its path below `models/`, and the limits for its promotion to champion."""

    candidate: Annotated[str, Field(pattern=r"^(family|distilled)/[A-Za-z0-9][A-Za-z0-9_-]*$")]
    gate: GateParams

    @property
    def architecture(self) -> str:
        """The candidate's architecture."""
        return PurePosixPath(self.candidate).name


class AblationParams(Section):
    """Trainings of `make ablation`: `model` changes `architecture` in all of them, `variants` in one each."""

    architecture: Name
    seeds: Annotated[list[int], Field(min_length=3)]  # a confidence interval needs three
    workers: Literal["auto"] | PositiveInt
    model: dict[str, Any]
    variants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]

    @model_validator(mode="after")
    def _compatible(self) -> "AblationParams":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds: duplicate values")
        return self


class Params(Section):
    """All of params.yaml."""

    data: DataParams
    datasets: dict[Name, Dataset]
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
        """Complete every entry of `models` with the values of `model`."""
        if isinstance(values, dict) and isinstance(values.get("models"), dict):
            shared = values.get("model")
            if not isinstance(shared, dict):
                raise ValueError("model: missing; it has the default values of every architecture")
            models = {}
            for name, changes in values["models"].items():
                if not isinstance(changes, dict):
                    raise ValueError(f"models.{name}: should be a mapping of the values that it changes in `model`")
                models[name] = merged(shared, changes)
            values = values | {"models": models}
        return values

    @model_validator(mode="after")
    def _consistent(self) -> "Params":
        if self.data.dataset not in self.datasets:
            raise ValueError(f"data.dataset: {self.data.dataset} is not one of {', '.join(self.datasets)}")
        if len(set(self.architectures)) < len(self.architectures):
            raise ValueError(f"architectures: duplicate values in {', '.join(self.architectures)}")
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
                raise ValueError(
                    f"search.architectures: {name} has teachers or no validation split, so it has no search"
                )
        for name in BASELINES:
            if name in self.models:
                raise ValueError(f"models.{name}: the name of a linear baseline")
        self._check_candidate()
        for name, model in self.models.items():
            self._check_model(f"models.{name}", model)
            if model.teachers and name in self.architectures:
                raise ValueError(f"models.{name}.teachers: should be []: the stages of architectures have no teachers")
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
            raise ValueError(f"registry.candidate: should be {self.path_of(name)}, the path of {name} below models/")
        if self.models[name].protocol == "keras_reference":
            raise ValueError(f"registry.candidate: {name} has no validation split, which calibration needs")
        if (cell := self.models[name].cell) not in EXPORTABLE:
            raise ValueError(
                f"registry.candidate: {name} has the cell {cell}, which cannot be exported to ONNX: "
                f"choose a model with the cell {', '.join(EXPORTABLE)}"
            )
        if not self.models[name].teachers and name not in self.architectures:
            raise ValueError(f"registry.candidate: {name} is not in architectures, so no stage trains it")

    def _check_claims(self) -> None:
        """Check that the models of the claims are valid, also with the settings of `QUICK=1`."""
        try:
            quick = self.claims.quickly()
        except ValidationError as error:
            raise ValueError(f"claims.quick: {first_message(error)}") from None
        for where, claims in (("claims", self.claims), ("claims.quick", quick)):
            for section in ("accuracy", "memory", "reservoir"):
                for model in self.models.values():
                    try:
                        updated(model, getattr(claims, section).model)
                    except ValidationError as error:
                        raise ValueError(f"{where}.{section}.model: {first_message(error)}") from None

    def _check_variants(self) -> None:
        """Check that each variant is a valid model, and that a stage writes the pseudo-labels of its teachers."""
        for name, changes in self.ablation.variants.items():
            where = f"ablation.variants.{name}"
            changes = merged(self.ablation.model, changes)
            if fixed := {"protocol", "seeds", "ensemble"} & changes.keys():
                raise ValueError(f"{where}: {min(fixed)} cannot differ between variants")
            try:
                model = updated(self.models[self.ablation.architecture], changes)
            except ValidationError as error:
                raise ValueError(f"{where}: {first_message(error)}") from None
            self._check_model(where, model)
            if model.teachers and not self.with_teachers(model.teachers):
                raise ValueError(f"{where}.teachers: no entry of models has exactly these")

    def _check_space(self) -> None:
        for name in self.search.architectures or self.architectures[:1]:
            preceding: dict[str, SearchedParam] = {}
            for key, searched in self.search.space.items():
                for model in range_ends(key, searched, self.models[name]):
                    self._check_model("search.space", model)
                check_condition(key, searched, preceding, self.search.space, self.models[name])
                preceding[key] = searched

    def _check_model(self, where: str, model: ModelParams) -> None:
        """Check a model against the other sections."""
        if model.vocab_size > self.tokenizer.vocab_size:
            raise ValueError(
                f"{where}.vocab_size: {model.vocab_size} is above tokenizer.vocab_size, {self.tokenizer.vocab_size}"
            )
        if model.word_vectors and model.embedding_size != self.word_vectors.size:
            raise ValueError(
                f"{where}.embedding_size: {model.embedding_size}, but word_vectors.size is {self.word_vectors.size}: "
                "use equal sizes, or word_vectors: false"
            )
        _check_devices(where, model, self.trainer)

    def path_of(self, name: str) -> str:
        """Path of an architecture's model below `models/`, and of its report below `reports/train/`."""
        return f"{'distilled' if self.model_of(name).teachers else 'family'}/{name}"

    def with_teachers(self, teachers: list[str]) -> str | None:
        """The first architecture with exactly these teachers, if there is one."""
        return next((name for name, model in self.models.items() if model.teachers == teachers), None)

    def model_of(self, name: str) -> ModelParams:
        """Parameters of the architecture `name`.

        Raises:
            UserError: there is no such architecture.
        """
        if name not in self.models:
            raise UserError(f"no architecture {name} in params.yaml; there are {', '.join(self.models)}")
        return self.models[name]

    def baseline_of(self, name: str) -> BaselineParams:
        """Parameters of the linear baseline `name`.

        Raises:
            UserError: there is no such baseline.
        """
        if name not in BASELINES:
            raise UserError(f"no baseline {name} in params.yaml; there are {', '.join(BASELINES)}")
        baseline: BaselineParams = getattr(self.baselines, name)
        return baseline

    @property
    def dataset(self) -> Dataset:
        """The entry of `datasets` that `data.dataset` selects."""
        return self.datasets[self.data.dataset]

    @property
    def registered_name(self) -> str:
        """Name of the registered model, with its data set's: `imdb-bilstm`, `my-reviews-bilstm`."""
        return f"{self.data.dataset}-bilstm"


def _check_devices(where: str, model: ModelParams, trainer: TrainerParams) -> None:
    if isinstance(trainer.devices, str):
        return  # depends on the machine: `training.devices` chooses a number that divides the batch
    nodes = trainer.num_nodes if isinstance(trainer.num_nodes, int) else 1
    processes = nodes * (trainer.devices if isinstance(trainer.devices, int) else len(trainer.devices))
    if model.batch_size % processes:
        raise ValueError(
            f"{where}.batch_size: {model.batch_size} is not divisible by trainer.devices x trainer.num_nodes = "
            f"{processes} processes"
        )
