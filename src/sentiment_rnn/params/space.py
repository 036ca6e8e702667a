"""The section `search`, with the search space of its trials."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.section import Fraction, Name, PositiveInt, Section, first_message, updated


class SearchedParam(Section):
    """A searched parameter; with `when: {other: values}` it is sampled only if each `other` has one of its `values`."""

    when: dict[str, Annotated[list[int | float | str | bool], Field(min_length=1)]] = Field(default_factory=dict)

    def applies(self, values: Mapping[str, Any]) -> bool:
        """Whether the parameter is sampled for a model with these values."""
        return all(values[other] in allowed for other, allowed in self.when.items())


class Range(SearchedParam):
    """A range from `low` to `high`, sampled on a logarithmic scale if `log`."""

    low: float
    high: float
    log: bool = False

    def contains(self, value: Any) -> bool:
        """Whether `value` can be sampled."""
        return isinstance(value, int | float) and self.low <= value <= self.high


class FloatRange(Range):
    """A range of floats."""

    type: Literal["float"]


class IntRange(Range):
    """A range of integers."""

    type: Literal["int"]
    low: int
    high: int

    def contains(self, value: Any) -> bool:
        """Whether `value` can be sampled."""
        return isinstance(value, int) and super().contains(value)


class Choices(SearchedParam):
    """A set of values."""

    type: Literal["choice"]
    choices: Annotated[list[int | float | str | bool], Field(min_length=2)]

    def contains(self, value: Any) -> bool:
        """Whether `value` can be sampled."""
        return value in self.choices


# these define another architecture, or a trial longer than the search allows
NOT_SEARCHABLE = (
    "cell", "bidirectional", "word_vectors", "teachers", "distillation_epochs", "optimizer", "trainable", "protocol",
    "max_epochs", "seeds", "refit", "ensemble",
)  # fmt: skip

Distribution = Annotated[FloatRange | IntRange | Choices, Field(discriminator="type")]


class SearchParams(Section):
    """An Optuna study for each of `architectures`; its best values are used if they improve on the defaults."""

    architectures: list[Name]
    n_trials: Annotated[int, Field(ge=0)]
    workers: Literal["auto"] | PositiveInt
    # servers only: the search chooses the file where there is none
    storage: Annotated[str, Field(pattern=r"^(postgresql|mysql|mariadb)(\+[a-z0-9_]+)?://")] | None
    pruner: Literal["none", "median", "hyperband"]
    max_epochs: PositiveInt
    train_fraction: Annotated[float, Field(gt=0, le=1)]
    min_improvement: Fraction
    seed: int
    space: dict[str, Distribution]


def range_ends(key: str, searched: FloatRange | IntRange | Choices, model: ModelParams) -> list[ModelParams]:
    """Copies of `model` with each choice, or with both ends of the range.

    Raises:
        ValueError: the parameter cannot be searched, or a value is not allowed.
    """
    where = f"search.space.{key}"
    if key not in searchable(model):
        raise ValueError(f"{where}: cannot be searched; allowed: {', '.join(searchable(model))}")
    if isinstance(searched, Choices):
        values: list[Any] = searched.choices
    else:
        if not searched.low < searched.high:
            raise ValueError(f"{where}: low must be below high")
        if searched.log and searched.low <= 0:
            raise ValueError(f"{where}: a logarithmic scale needs low above 0")
        values = [searched.low, searched.high]
    models = []
    for value in values:
        try:
            models.append(updated(model, {key: value}))
        except ValidationError as error:
            raise ValueError(f"{where}: {value!r} is not allowed: {first_message(error)}") from None
    return models


def searchable(model: ModelParams) -> list[str]:
    """Names of the parameters that can be searched, dotted where they are nested."""
    names = []
    for key, value in model.model_dump().items():
        if key not in NOT_SEARCHABLE:
            names += [f"{key}.{nested}" for nested in value] if isinstance(value, dict) else [key]
    return names


def check_condition(
    key: str, searched: SearchedParam, preceding: Mapping[str, Any], space: Mapping[str, Any], model: ModelParams
) -> None:
    """Check the condition `when` of the searched parameter `key`.

    Raises:
        ValueError: it names no parameter, one that is searched later in the space, or a value that is not allowed.
    """
    for other, allowed in searched.when.items():
        where = f"search.space.{key}.when.{other}"
        if other.split(".")[0] not in ModelParams.model_fields:
            raise ValueError(f"{where}: not a parameter of a model")
        if other in space and other not in preceding:
            raise ValueError(f"{where}: {other} has to come before {key} in search.space")
        for value in allowed:
            if other in preceding and not preceding[other].contains(value):
                raise ValueError(f"{where}: {value!r} cannot be sampled for {other}")
            try:
                updated(model, {other: value})
            except ValidationError as error:
                raise ValueError(f"{where}: {value!r} is not allowed: {first_message(error)}") from None
