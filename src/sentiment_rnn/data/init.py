"""`sentiment-rnn init`: an entry of `datasets` from a look at a user's file, written to params.yaml."""

import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa
from ruamel.yaml import YAML

from sentiment_rnn.data.reading import read_file
from sentiment_rnn.data.sources import FOLDER
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file
from sentiment_rnn.params.datasets import value_name

MAX_LABELS = 20  # distinct values of a label column
LABEL_NAMES = ("label", "sentiment", "class", "target", "polarity", "y", "rating", "stars")
NEGATIVE = {"0", "neg", "negative", "bad", "n", "no", "false", "-1"}
SPLITS = ("train", "validation", "test", "unlabeled")

Question = Callable[[str, str], str]  # text and default to answer


class Guess(NamedTuple):
    """What a file's columns look like: its text, its label, and the values of the label with their counts."""

    text: str
    label: str
    values: dict[str, int]


def look(file: Path, text: str | None, label: str | None, encoding: str = "utf-8") -> Guess:
    """Guess the columns of a file, unless they are given.

    The text is the column with the longest values. The label is one of at most 20 values, if possible with a usual
    name, else with the fewest values.

    Raises:
        UserError: the file cannot be read, or has no such columns.
    """
    table = read_file(file, None, encoding)
    columns = table.column_names
    text = text or max(columns, key=lambda name: sum(map(len, _values(table, name))))
    if label is None:
        counts = {name: len(set(_values(table, name))) for name in columns if name != text}
        few = [name for name, count in counts.items() if 2 <= count <= MAX_LABELS]
        usual = [name for name in few if name.lower() in LABEL_NAMES]
        label = next(iter(usual or sorted(few, key=counts.__getitem__)), None)
    if label is None:
        raise UserError(
            f"{file}: no column besides {text} has 2 to {MAX_LABELS} values: name the label with --label; its columns: "
            f"{', '.join(columns)}"
        )
    for option, name in (("--text", text), ("--label", label)):
        if name not in columns:
            raise UserError(f"{option}: {file} has no column {name}; its columns: {', '.join(columns)}")
    values = Counter(_values(table, label))
    if label in values:
        known = {text: "text", label: "label"}
        names = [known.get(column, f"column_{number}") for number, column in enumerate(columns, 1)]
        raise UserError(
            f"{file}: its first row is no row of names: column {label} has the value {label}, too: "
            f"insert a row such as {','.join(names)}"
        )
    return Guess(text, label, dict(values.most_common()))


def _values(table: pa.Table, name: str) -> list[str]:
    return ["" if value is None else value_name(value) for value in table[name].to_pylist()]


def classes(guess: Guess, negative: list[str], positive: list[str], ask: Question | None) -> dict[str, list[str]]:
    """The entry's `labels` and `ignore`, of the values given, else of the file's two values, else of the answers.

    Raises:
        UserError: nobody says which values mean which class.
    """
    values = list(guess.values)
    if not (negative and positive):
        if len(values) == 2:
            negative = [value for value in values if value.lower() in NEGATIVE][:1] or [min(values)]
            positive = [value for value in values if value not in negative]
        if len(values) != 2 or ask:
            if ask is None:
                listed = ", ".join(f"{value} ({count:,})" for value, count in guess.values.items())
                raise UserError(
                    f"column {guess.label} has {len(values)} values: {listed}: say which mean what, such as "
                    f"--negative {values[0]} --positive {values[-1]}; the rest is left out"
                )
            listed = ", ".join(values)
            negative = ask(f"Values of {guess.label} that are class 0 (of {listed})", " ".join(negative)).split()
            positive = ask(f"Values of {guess.label} that are class 1", " ".join(positive)).split()
    if unknown := [value for value in [*negative, *positive] if value not in values]:
        raise UserError(f"column {guess.label} has no value {unknown[0]}; its values: {', '.join(values)}")
    rest = [value for value in values if value not in {*negative, *positive}]
    return {_class_name(negative, "negative"): negative, _class_name(positive, "positive"): positive} | (
        {"ignore": rest} if rest else {}
    )


def _class_name(values: list[str], default: str) -> str:
    """A word is a name, a number is not; the short forms of the usual names are written out."""
    name = values[0] if len(values) == 1 else default
    name = {"neg": "negative", "pos": "positive"}.get(name.lower(), name)
    word = name.replace(" ", "").replace("-", "").isalpha() and name.lower() not in ("true", "false")
    return name if word else default


def write_entry(
    name: str,
    files: dict[str, Path],
    guess: Guess,
    labels: dict[str, list[str]],
    root: Path = Path(),
    encoding: str = "utf-8",
) -> dict[str, Any]:
    """Copy the files to sources/, write the entry, and select it.

    Args:
        name: of the data set.
        files: by split.
        guess: their columns.
        labels: from `classes`.
        root: the project.
        encoding: of CSV and JSON lines.

    Returns:
        The entry.
    """
    path = root / "params.yaml"
    yaml = YAML()
    yaml.preserve_quotes, yaml.width = True, 4096
    try:
        values = yaml.load(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; run from the project's root") from None
    copied = {}
    for split, file in files.items():
        target = root / FOLDER / name / file.name
        if file.resolve() != target.resolve():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, target)
        copied[split] = target.relative_to(root).as_posix()
    ignore = labels.pop("ignore", None)
    entry: dict[str, Any] = {"files": copied if set(copied) != {"train"} else copied["train"]}
    entry |= {"text": guess.text, "label": guess.label, "labels": labels}
    if ignore:
        entry["ignore"] = ignore
    if encoding != "utf-8":
        entry["encoding"] = encoding
    values["datasets"][name] = entry
    values["data"]["dataset"] = name
    with atomic_file(path) as written:
        yaml.dump(values, written)
    return entry
