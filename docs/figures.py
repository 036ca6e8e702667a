"""Compare the figures in the documents with the JSON files that they come from: `make check-docs`.

    python docs/figures.py [--write]

`figures.yaml` has the texts with fields, such as `{evaluation[accuracy]:p2}` (percent with two decimals). With --write
the documents get the figures of the files. Between `<!-- RESULTS -->` and `<!-- /RESULTS -->` every number with
decimals has to be part of such a text.
"""

import argparse
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter
from typing import Any, NamedTuple

from ruamel.yaml import YAML

SPECIFICATION = Path("docs/figures.yaml")
NUMBER = r"[-+\N{MINUS SIGN}]?\d[\d,]*(?:\.\d+)?"
BLOCK = re.compile(r"<!-- RESULTS -->.*?<!-- /RESULTS -->", re.DOTALL)


class Number(float):
    """A float with the format `p2`: percent without its sign, two decimals."""

    def __format__(self, spec: str) -> str:
        return f"{100 * self:.{spec[1:]}f}" if spec.startswith("p") else super().__format__(spec)


class Figure(NamedTuple):
    """A text found in a document: where it is, as it stands there, and as the files say."""

    span: tuple[int, int]
    found: str
    expected: str


def figures(document: str, templates: list[str], files: dict[str, Any]) -> Iterator[Figure | str]:
    """Each template's figure in the text of a document, or what is wrong with the template."""
    for template in templates:
        fields = list(Formatter().parse(template))
        pattern = "".join(re.escape(text) + (NUMBER if field is not None else "") for text, field, _, _ in fields)
        found = list(re.finditer(pattern, document))
        if len(found) != 1:
            yield f"{len(found)} places have the text {template!r}, instead of 1"
            continue
        try:
            expected = template.format(**files)
        except (KeyError, IndexError) as error:
            yield f"{template!r}: no such value: {error}"
            continue
        yield Figure(found[0].span(), found[0].group(), expected)


def check(root: Path, write: bool = False) -> list[str]:
    """What is wrong with the documents below `root`; with `write`, figures that differ are written instead."""
    specification = YAML(typ="safe").load(root / SPECIFICATION)
    files = {
        name: json.loads((root / path).read_text(encoding="utf-8"), parse_float=Number)
        for name, path in specification["files"].items()
    }
    wrong = []
    for name, templates in specification["documents"].items():
        path = root / name
        document = path.read_text(encoding="utf-8")
        spans = []
        for figure in list(figures(document, templates, files)):
            if isinstance(figure, str):
                wrong.append(f"{name}: {figure}")
            elif write:
                document = document.replace(figure.found, figure.expected)
            else:
                spans.append(figure.span)
                if figure.found != figure.expected:
                    wrong.append(f"{name}: {figure.found!r} should be {figure.expected!r}")
        if write:
            path.write_text(document, encoding="utf-8")
            continue
        for block in BLOCK.finditer(document):
            for number in re.finditer(r"\d+\.\d+", block.group()):
                place = block.start() + number.start()
                if not any(start <= place < end for start, end in spans):
                    line = document.count("\n", 0, place) + 1
                    wrong.append(f"{name}, line {line}: {number.group()} is in no text of {SPECIFICATION}")
    return wrong


def main() -> None:
    parser = argparse.ArgumentParser(prog="python docs/figures.py", description=__doc__)
    parser.add_argument("--write", action="store_true", help="write the figures of the files into the documents")
    if wrong := check(Path(), parser.parse_args().write):
        sys.exit("\n".join([*wrong, "`python docs/figures.py --write` writes the figures of the files"]))


if __name__ == "__main__":
    main()
