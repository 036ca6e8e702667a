"""Base class of the sections of params.yaml, common types, and updates of sections."""

from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

Fraction = Annotated[float, Field(ge=0, lt=1)]
PositiveInt = Annotated[int, Field(ge=1)]
PositiveFloat = Annotated[float, Field(gt=0)]
Precision = Literal["auto", "32-true", "bf16-mixed", "64-true"]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$")]


class Section(BaseModel):
    """A mapping of params.yaml: immutable, without unknown keys, without type conversions."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


SectionType = TypeVar("SectionType", bound=Section)


def merged(values: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    """Update `values` with `changes`, recursively where both have a mapping."""
    result = dict(values)
    for key, change in changes.items():
        old = result.get(key)
        result[key] = merged(old, change) if isinstance(old, dict) and isinstance(change, dict) else change
    return result


def updated(section: SectionType, changes: dict[str, Any]) -> SectionType:
    """A copy of a section with changed values, validated again.

    Args:
        section: not modified.
        changes: by key; those of a nested section as a mapping, or by dotted keys (`echo_state.leak_rate`).

    Raises:
        ValidationError: a key is unknown, or a value is not allowed.
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
    """The first error as `key: message`."""
    item = error.errors()[0]
    return ": ".join([*filter(None, [".".join(map(str, item["loc"]))]), item["msg"].removeprefix("Value error, ")])
