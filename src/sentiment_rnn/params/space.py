"""The section `search`, with the space that its trials are drawn from."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, ValidationError

from sentiment_rnn.params.model import ModelParams, with_values
from sentiment_rnn.params.section import Count, Section


class Drawn(Section):
    """A searched parameter. `when: {other: values}`: it is drawn only where each `other` has one of its `values`."""

    when: dict[str, Annotated[list[int | float | str | bool], Field(min_length=1)]] = Field(default_factory=dict)

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
FIXED_IN_A_STUDY = (
    "cell", "bidirectional", "pretrained", "teachers", "teacher_epochs", "optimizer", "trained", "protocol",
    "max_epochs", "seeds", "average",
)  # fmt: skip

Distribution = Annotated[FloatRange | IntRange | Choices, Field(discriminator="type")]


class SearchParams(Section):
    """An Optuna study for each architecture; what it finds is taken if it gains `min_gain` over the defaults."""

    trials: Annotated[int, Field(ge=0)]
    workers: Literal["auto"] | Count
    # a server's: a file's (journal, sqlite) could be written anywhere
    storage: Annotated[str, Field(pattern=r"^(postgresql|mysql|mariadb)(\+[a-z0-9_]+)?://")] | None
    pruner: Literal["none", "median", "hyperband"]
    max_epochs: Count
    train_fraction: Annotated[float, Field(gt=0, le=1)]
    min_gain: Annotated[float, Field(ge=0)]
    seed: int
    space: dict[str, Distribution]


def ends(key: str, drawn: FloatRange | IntRange | Choices, model: ModelParams) -> list[ModelParams]:
    """`model` with each choice, or with both ends of the range: what params.yaml might have said."""
    where = f"search.space.{key}"
    if key not in ModelParams.model_fields or key in FIXED_IN_A_STUDY:
        allowed = [name for name in ModelParams.model_fields if name not in FIXED_IN_A_STUDY]
        raise ValueError(f"{where}: not a parameter that can be searched; allowed: {', '.join(allowed)}")
    if isinstance(drawn, Choices):
        values: list[Any] = drawn.choices
    else:
        if not drawn.low < drawn.high:
            raise ValueError(f"{where}: low must be below high")
        if drawn.log and drawn.low <= 0:
            raise ValueError(f"{where}: a logarithmic scale needs low above 0")
        values = [drawn.low, drawn.high]
    models = []
    for value in values:
        try:
            models.append(with_values(model, {key: value}))
        except ValidationError as error:
            raise ValueError(f"{where}: {value!r} cannot be drawn: {error.errors()[0]['msg']}") from None
    return models


def check_condition(
    key: str, drawn: Drawn, above: Mapping[str, Any], space: Mapping[str, Any], model: ModelParams
) -> None:
    """A condition names a parameter and values that it may have; one that is searched too stands above."""
    for other, allowed in drawn.when.items():
        where = f"search.space.{key}.when.{other}"
        if other not in ModelParams.model_fields:
            raise ValueError(f"{where}: not a parameter of an architecture")
        if other in space and other not in above:
            raise ValueError(f"{where}: {other} has to stand above {key} in search.space")
        for value in allowed:
            if other in above and not above[other].holds(value):
                raise ValueError(f"{where}: {value!r} cannot be drawn for {other}")
            try:
                with_values(model, {other: value})
            except ValidationError as error:
                raise ValueError(f"{where}: {value!r} cannot be: {error.errors()[0]['msg']}") from None
