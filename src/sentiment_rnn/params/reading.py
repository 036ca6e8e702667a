"""Loading and validation of params.yaml, with one line per error."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError
from ruamel.yaml import YAML, YAMLError

from sentiment_rnn.errors import UserError
from sentiment_rnn.params.datasets import KINDS
from sentiment_rnn.params.model import ModelParams
from sentiment_rnn.params.schema import Params
from sentiment_rnn.params.space import Choices, FloatRange, IntRange

INTEGER = "auto, an integer greater than or equal to 1"
AUTO = {
    "trainer.devices": f"{INTEGER}, or a list of at least 1 GPU",
    "trainer.num_nodes": INTEGER.replace(",", " or"),
    "search.workers": INTEGER.replace(",", " or"),
    "claims.workers": INTEGER.replace(",", " or"),
    "ablation.workers": INTEGER.replace(",", " or"),
}


def load(path: str | Path = "params.yaml") -> Params:
    """Read and validate params.yaml.

    Raises:
        UserError: the file cannot be read, or has unknown keys or values that are not allowed; one line for each.
    """
    try:
        # YAML 1.2, as DVC reads it: in 1.1 `1e-3` would be a string
        values = YAML(typ="safe").load(Path(path).read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; run from the project's root") from None
    except UnicodeDecodeError as error:
        raise UserError(f"{path}: not UTF-8: {error}") from None
    except YAMLError as error:
        raise UserError(f"{path}: not YAML: {' '.join(str(error).split())}") from None
    try:
        return Params.model_validate(values)
    except ValidationError as error:
        raise UserError("\n".join(_lines(path, error))) from None


def _lines(path: str | Path, error: ValidationError) -> list[str]:
    """One line per error: pydantic repeats an error in `model` for every architecture, and in `AUTO` for every type."""
    items = error.errors()
    if any(item["loc"][:1] == ("model",) for item in items):
        items = [item for item in items if item["loc"][:1] != ("models",)]
    lines = []
    for item in items:
        key = ".".join(str(part) for part in item["loc"][:2])
        if key in AUTO:
            lines.append(f"{path}: {key}: should be {AUTO[key]}{_given(item)}")
        else:
            lines.append(_line(path, item))
    return list(dict.fromkeys(lines))


def _line(path: str | Path, item: Any) -> str:
    """An error as `params.yaml: key: what is wrong, and what is allowed`."""
    location = item["loc"]
    if location[:2] == ("search", "space") and len(location) > 4:
        location = location[:3] + location[4:]  # pydantic inserts the name of the union's member
    elif location[:1] == ("datasets",) and len(location) > 3:
        location = location[:2] + location[3:]
    key = ".".join(str(part) for part in location)
    message = item["msg"].removeprefix("Value error, ")
    if item["type"] == "extra_forbidden":
        section = _section(item["loc"][:-1])
        allowed = f"; allowed: {', '.join(section.model_fields)}" if section else ""
        return f"{path}: {key}: unknown key{allowed}"
    if item["type"] == "missing":
        return f"{path}: {key}: missing"
    if item["type"] == "union_tag_not_found" and location[0] == "datasets":
        return f"{path}: {key}: should have hub (of the Hugging Face hub) or files (CSV, Parquet, JSON lines)"
    if item["type"] in ("union_tag_invalid", "union_tag_not_found"):
        return f"{path}: {key}.type: should be float, int or choice"
    return f"{path}: {key + ': ' if key else ''}{message}{_given(item)}"


def _given(item: Any) -> str:
    return f" (it is {item['input']!r})" if isinstance(item["input"], str | int | float | bool | None) else ""


def _section(location: tuple[int | str, ...]) -> type[BaseModel] | None:
    """The class of a section of params.yaml."""
    if location[:2] == ("search", "space"):
        types: dict[str, type[BaseModel]] = {"float": FloatRange, "int": IntRange, "choice": Choices}
        return types.get(str(location[-1]))
    section: Any = Params
    if location[:1] == ("datasets",):
        section, location = KINDS[str(location[2])], location[3:]
    elif location[:1] == ("models",):
        section, location = ModelParams, location[2:]
    for part in location:
        section = section.model_fields[str(part)].annotation
    found: type[BaseModel] = section
    return found
