"""The result tables of docs/performance.md, from benchmarks/results.json.

python -m benchmarks.render
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS, peak_in_words, verdict
from sentiment_rnn.files import read_json

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- results: python -m benchmarks.render -->", "<!-- end of results -->"


def markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A section for each benchmark, in the order in which they were kept first."""
    return "\n\n".join(section(name, found) for name, found in results.items() if not name.endswith("--quick"))


def section(name: str, found: Mapping[str, Any]) -> str:
    """Ratios first, then where they come from."""
    measured = (
        f"{found['date']}, commit `{found['commit']}`, {found['machine']}, {peak_in_words(found)}, "
        f"{found['minutes']} min: `python -m benchmarks.{name}`"
    )
    parts = [f"### {found['title']}", measured]
    if found["ratios"]:
        ratios = [
            [ratio, f"{now['value']:.3f}", "" if now["bar"] is None else f"{now['bar']:.2f}", verdict(now)]
            for ratio, now in found["ratios"].items()
        ]
        parts.append(table(["ratio", "measured", "at most", ""], ratios))
    if found["rows"]:
        parts.append(table(found["columns"], found["rows"]))
    return "\n\n".join([*parts, *found["notes"]])


def table(columns: list[str], rows: list[list[str]]) -> str:
    """In markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    if not RESULTS.exists():
        return
    before, rest = PAGE.read_text().split(BEGIN)
    _, after = rest.split(END)
    PAGE.write_text(f"{before}{BEGIN}\n\n{markdown(read_json(RESULTS))}\n\n{END}{after}")


if __name__ == "__main__":
    main()
