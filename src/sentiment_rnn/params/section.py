"""Building blocks of the sections of params.yaml."""

from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Fraction = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Section(BaseModel):
    """A mapping of params.yaml: unknown keys and wrong types are refused, values cannot be changed."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


SectionType = TypeVar("SectionType", bound=Section)


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """`values` with `changes`; where both have a mapping under a key, the two are merged."""
    result = dict(values)
    for key, change in changes.items():
        old = result.get(key)
        result[key] = merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return result


def updated(section: SectionType, changes: dict[str, Any]) -> SectionType:
    """A section with some of its values changed, validated again.

    Args:
        section: is left as it is.
        changes: by key; a nested section takes a mapping of its changed keys, or one key may be dotted
            (`echo_state.leak_rate`).
    """
    nested: dict[str, Any] = {}
    for key, value in changes.items():
        *parents, last = key.split(".")
        nested = merged(nested, _nest(parents, {last: value}))
    return type(section)(**merged(section.model_dump(), nested))


def _nest(parents: list[str], value: dict[str, Any]) -> dict[str, Any]:
    for parent in reversed(parents):
        value = {parent: value}
    return value


def first_message(error: ValidationError) -> str:
    """The first problem as `key: message`."""
    item = error.errors()[0]
    return ": ".join([*filter(None, [".".join(map(str, item["loc"]))]), item["msg"].removeprefix("Value error, ")])
