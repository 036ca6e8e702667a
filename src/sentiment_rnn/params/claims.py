"""Parameters of the claims: `make claims`."""

from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from sentiment_rnn.params.section import PositiveFloat, PositiveInt, Precision, Section, updated


class MemoryParams(Section):
    """Trainings on tasks that need memory, on the CPU: `lengths` by task; `model` changes the cells' own."""

    seeds: Annotated[int, Field(ge=3)]
    max_steps: PositiveInt
    lengths: dict[
        Literal["adding", "copy", "long-range"], Annotated[list[Annotated[int, Field(ge=4)]], Field(min_length=1)]
    ]
    reviews: Annotated[int, Field(ge=40)]
    model: dict[str, Any]

    @model_validator(mode="after")
    def _complete(self) -> "MemoryParams":
        if missing := {"adding", "copy", "long-range"} - self.lengths.keys():
            raise ValueError(f"lengths: {min(missing)} is missing")
        return self


class AccuracyParams(Section):
    """Trainings on the data set's reviews: `model` changes the architectures."""

    pilot_seeds: Annotated[int, Field(ge=3)]
    max_seeds: Annotated[int, Field(ge=3)]
    reviews: PositiveInt | None
    test_reviews: PositiveInt | None
    learning_curve: Annotated[list[PositiveInt], Field(min_length=1)]
    min_steps: PositiveInt
    pretraining_reviews: PositiveInt
    model: dict[str, Any]


class ReservoirParams(Section):
    """Memory capacity of untrained recurrent weights."""

    seeds: Annotated[int, Field(ge=3)]
    spectral_radii: Annotated[list[PositiveFloat], Field(min_length=3)]
    model: dict[str, Any]

    @model_validator(mode="after")
    def _around_one(self) -> "ReservoirParams":
        if not min(self.spectral_radii) < 1 < max(self.spectral_radii):
            raise ValueError("spectral_radii: should have a value below 1 and one above")
        return self


class ClaimsParams(Section):
    """Experiments of `make claims`; `quick` has what `QUICK=1` changes.

    `precision`: of all trainings on reviews, whatever `trainer` has.
    """

    workers: Literal["auto"] | PositiveInt
    precision: Precision
    learning_rates: Annotated[list[PositiveFloat], Field(min_length=1)]
    tuning_seed: int
    accuracy: AccuracyParams
    memory: MemoryParams
    reservoir: ReservoirParams
    quick: dict[str, Any]

    @model_validator(mode="after")
    def _compatible(self) -> "ClaimsParams":
        lists: dict[str, list[Any]] = {
            "learning_rates": self.learning_rates,
            "accuracy.learning_curve": self.accuracy.learning_curve,
            "reservoir.spectral_radii": self.reservoir.spectral_radii,
            **{f"memory.lengths.{task}": lengths for task, lengths in self.memory.lengths.items()},
        }
        for key, values in lists.items():
            if len(set(values)) < len(values):
                raise ValueError(f"{key}: duplicate values")
        for section in ("accuracy", "memory", "reservoir"):
            model = getattr(self, section).model
            if fixed := {"cell", "pooling", "protocol", "num_layers", "bidirectional", "learning_rate"} & model.keys():
                raise ValueError(
                    f"{section}.model: {min(fixed)} is compared by the claims and cannot be changed for all"
                )
        if self.accuracy.max_seeds < self.accuracy.pilot_seeds:
            raise ValueError("accuracy.max_seeds: should not be below pilot_seeds")
        return self

    def quickly(self) -> "ClaimsParams":
        """With the small settings of `QUICK=1`."""
        return updated(self, self.quick)
