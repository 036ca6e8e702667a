"""The sections of params.yaml. Each forbids unknown keys and wrong types; what cannot work together is refused."""

from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError, model_validator

from sentiment_rnn.errors import UserError
from sentiment_rnn.params.model import ModelParams, with_values
from sentiment_rnn.params.pretraining import PretrainParams
from sentiment_rnn.params.section import Count, Name, Section
from sentiment_rnn.params.space import Drawn, SearchParams, check_condition, ends


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


class RivalParams(Section):
    """A linear rival: runs of 1 to `max_ngram` tokens that stand in `min_df` train reviews or more.

    One of the values `c` is chosen on validation: the inverse of the penalty on large weights.
    """

    max_ngram: Count
    min_df: Count
    c: Annotated[list[Annotated[float, Field(gt=0)]], Field(min_length=1)]


RIVALS = ("tfidf_logistic", "nb_logistic")


class LinearParams(Section):
    """The linear rivals that are run, and each one's own parameters."""

    rivals: Annotated[list[Literal[RIVALS]], Field(min_length=1)]  # type: ignore[valid-type]
    tfidf_logistic: RivalParams
    nb_logistic: RivalParams

    @model_validator(mode="after")
    def _possible(self) -> "LinearParams":
        if len(set(self.rivals)) < len(self.rivals):
            raise ValueError("rivals names the same one twice")
        return self


class GateParams(Section):
    """What a version may cost that takes the champion's place: calibration error on top of the champion's, time."""

    max_ece_increase: Annotated[float, Field(ge=0, le=1)]
    max_latency_ms: Annotated[float, Field(gt=0)]


class RegistryParams(Section):
    """The registered model's name, the architectures that may become a version of it, and the champion's gate."""

    name: Name
    candidates: Annotated[list[str], Field(min_length=1)]
    gate: GateParams


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


class AblationParams(Section):
    """The trainings that `make ablation` compares: what all of them, and what each, change in `best`."""

    seeds: Annotated[list[int], Field(min_length=3)]  # below three there is no interval to speak of
    workers: Literal["auto"] | Count
    model: dict[str, Any]
    variants: Annotated[dict[str, dict[str, Any]], Field(min_length=1)]

    @model_validator(mode="after")
    def _possible(self) -> "AblationParams":
        if len(set(self.seeds)) < len(self.seeds):
            raise ValueError("seeds names one twice")
        return self


RECIPE = ("pupil", "best")  # what best/dvc.yaml trains, in turn; the last is registered


class Params(Section):
    """The whole of params.yaml."""

    data: DataParams
    tokenizer: TokenizerParams
    trainer: TrainerParams
    model: ModelParams
    models: dict[Name, ModelParams]
    architectures: Annotated[list[str], Field(min_length=1)]
    pretrain: PretrainParams
    search: SearchParams
    linear: LinearParams
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
        for name in RECIPE:
            if name not in self.models:
                raise ValueError(f"models: {name} is missing: best/dvc.yaml trains it")
            if name in self.architectures:
                raise ValueError(f"architectures: {name} is trained by best/dvc.yaml: not here too")
        for name, model in self.models.items():
            # a rival is trained by dvc.yaml, the pupil by best/dvc.yaml, before the best
            known = (*self.linear.rivals, *(RECIPE[:1] if name == RECIPE[-1] else ()))
            if unknown := [teacher for teacher in model.teachers if teacher not in known]:
                raise ValueError(f"models.{name}.teachers: {unknown[0]} is not one of {', '.join(known)}")
        for name in self.linear.rivals:
            if name in self.models:
                raise ValueError(f"models.{name}: a linear rival has that name, and its row in the comparison")
        for name, model in self.models.items():
            self._check_together(f"models.{name}", model)
            if model.pretrained and name in self.architectures:
                raise ValueError(
                    f"models.{name}.pretrained: what is in architectures is not pre-trained by dvc.yaml: false"
                )
            if model.teachers and name in self.architectures:
                raise ValueError(f"models.{name}.teachers: what is in architectures is not taught by dvc.yaml: []")
        for key in ("model", "distance_model", "reservoir_model"):
            for model in self.models.values():
                try:
                    with_values(model, getattr(self.claims, key))
                except ValidationError as error:
                    item = error.errors()[0]
                    where = ".".join(["claims", key, *map(str, item["loc"])])
                    raise ValueError(f"{where}: {item['msg'].removeprefix('Value error, ')}") from None
        self._check_variants()
        above: dict[str, Drawn] = {}
        for key, drawn in self.search.space.items():
            first = self.models[self.architectures[0]]
            for model in ends(key, drawn, first):
                self._check_together("search.space", model)
            check_condition(key, drawn, above, self.search.space, first)
            above[key] = drawn
        return self

    def _check_variants(self) -> None:
        """Each variant is a model that best/dvc.yaml has the pre-training and the teachers of."""
        for name, changes in self.ablation.variants.items():
            where = f"ablation.variants.{name}"
            changes = {**self.ablation.model, **changes}
            if fixed := {"protocol", "seeds", "average"} & changes.keys():
                raise ValueError(f"{where}: {min(fixed)} is the same for all: what is judged is validation")
            try:
                model = with_values(self.models[RECIPE[-1]], changes)
            except ValidationError as error:
                item = error.errors()[0]
                key = ".".join([where, *map(str, item["loc"])])
                raise ValueError(f"{key}: {item['msg'].removeprefix('Value error, ')}") from None
            self._check_together(where, model)
            if model.teachers and not self.taught_like(model):
                raise ValueError(f"{where}.teachers: neither {' nor '.join(RECIPE)} has just these")

    def taught_like(self, model: ModelParams) -> str | None:
        """Which of the recipe's architectures has the same teachers."""
        return next((name for name in RECIPE if self.models[name].teachers == model.teachers), None)

    def _check_together(self, where: str, model: ModelParams) -> None:
        """What an architecture asks for must be there."""
        if model.vocab_size > self.tokenizer.vocab_size:
            raise ValueError(
                f"{where}.vocab_size: {model.vocab_size} is more than tokenizer.vocab_size, {self.tokenizer.vocab_size}"
            )
        _check_devices(where, model, self.trainer)
        if model.pretrained:
            self.pretrain.check(where, model)

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
        if name not in RIVALS:
            raise UserError(f"no linear rival {name} in params.yaml; there are {', '.join(RIVALS)}")
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
