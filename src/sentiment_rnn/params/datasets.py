"""The section `datasets`: where the texts of each data set are, and what its labels mean."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Discriminator, Field, Tag, field_validator, model_validator

from sentiment_rnn.params.section import Section

SLICES_OF_TEXT = ("length", "negation", "contrast")  # the report has these for every data set
Text = Annotated[str, Field(min_length=1)]


def _as_list(value: Any) -> Any:
    return [value] if isinstance(value, str | bool | int | float) else value


Texts = Annotated[list[Text], BeforeValidator(_as_list), Field(min_length=1)]
Values = Annotated[list[Any], BeforeValidator(_as_list), Field(min_length=1)]


def value_name(value: Any) -> str:
    """A label as it is compared: 1, 1.0, "1" and "1.0" are the same value, so are true and "true"."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return re.sub(r"^(-?\d+)\.0+$", r"\1", str(value).strip())


class TextDataset(Section):
    """A data set of two classes: its columns, and which values of `label` mean which class.

    `labels` names the classes 0 and 1, in this order; rows with a value in `ignore` are left out. Several columns of
    `text` are joined by line breaks. Rows with the same `group` stay on one side of a split. `slices` are columns by
    whose values the report lists the accuracy.
    """

    text: Texts = Field(default=["text"])
    label: Text = "label"
    labels: dict[Text, Values]
    ignore: Annotated[list[Any], BeforeValidator(_as_list)] = Field(default=[])
    group: Text | None = None
    slices: list[Text] = Field(default=[])

    @field_validator("labels")
    @classmethod
    def _two_classes(cls, labels: dict[str, list[Any]]) -> dict[str, list[Any]]:
        if len(labels) != 2:
            raise ValueError(
                f"{len(labels)} classes ({', '.join(labels)}): the models tell two classes apart; name two, and list "
                "the values of the others under ignore"
            )
        return labels

    @model_validator(mode="after")
    def _distinct(self) -> "TextDataset":
        given = [value for each in [*self.labels.values(), self.ignore] for value in each]
        if wrong := [value for value in given if not isinstance(value, str | bool | int | float)]:
            raise ValueError(f"labels: {wrong[0]!r} is not a value of a column: use strings, numbers, true or false")
        values = [value_name(value) for value in given]
        if repeated := sorted({value for value in values if values.count(value) > 1}):
            raise ValueError(f"labels: {', '.join(repeated)} is listed twice")
        columns = [*self.text, self.label]
        if repeated := sorted({column for column in columns if columns.count(column) > 1}):
            raise ValueError(f"text: {', '.join(repeated)} is listed twice, or is the label")
        if taken := set(self.further_columns) & {*SLICES_OF_TEXT, "texts", "labels"}:
            raise ValueError(f"{min(taken)}: a name that this project uses itself: rename the column in the file")
        return self

    @property
    def further_columns(self) -> list[str]:
        """The columns that are read besides text and label."""
        return list(dict.fromkeys([*([self.group] if self.group else []), *self.slices]))

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes 0 and 1."""
        return tuple(self.labels)

    @property
    def codes(self) -> dict[str, int | None]:
        """The class of each value of the label column; None: the row is left out."""
        named = {value_name(value): code for code, each in enumerate(self.labels.values()) for value in each}
        return named | dict.fromkeys(map(value_name, self.ignore))


class Splits(Section):
    """A name or pattern for each split; what is not given is split off `train`, or is not there."""

    train: Text
    validation: Text | None = None
    test: Text | None = None
    unlabeled: Text | None = None


class HubDataset(TextDataset):
    """A data set on the Hugging Face hub, or a mirror folder in the hub's layout, which takes precedence."""

    hub: Text
    config: Text | None = None
    revision: Text | None = None
    mirror: str | None = None
    splits: Splits = Splits(train="train", test="test")


class FilesDataset(TextDataset):
    """CSV, Parquet or JSON-lines files below sources/NAME/: one, several by a pattern, or some for each split."""

    files: Annotated[Splits, BeforeValidator(lambda given: {"train": given} if isinstance(given, str) else given)]
    encoding: Text = "utf-8"


class SyntheticDataset(Section):
    """The synthetic corpus: number of reviews in each split, seed."""

    train: Annotated[int, Field(ge=20)]
    test: Annotated[int, Field(ge=20)]
    unsupervised: Annotated[int, Field(ge=2)]
    seed: int

    @property
    def class_names(self) -> tuple[str, ...]:
        """Names of the classes 0 and 1."""
        return ("negative", "positive")


KINDS: dict[str, type[Section]] = {"hub": HubDataset, "files": FilesDataset, "synthetic": SyntheticDataset}


def _kind(values: Any) -> str | None:
    keys = set(values if isinstance(values, dict) else type(values).model_fields)
    return next((kind for kind in ("hub", "files") if kind in keys), "synthetic" if "train" in keys else None)


Dataset = Annotated[
    Annotated[HubDataset, Tag("hub")]
    | Annotated[FilesDataset, Tag("files")]
    | Annotated[SyntheticDataset, Tag("synthetic")],
    Discriminator(_kind),
]
