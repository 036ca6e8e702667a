"""Write the result tables of docs/performance.md from benchmarks/results.json.

python -m benchmarks.render
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.measure import RESULTS, format_peak, verdict
from sentiment_rnn.files import read_json

PAGE = Path("docs/performance.md")
BEGIN, END = "<!-- results: python -m benchmarks.render -->", "<!-- end of results -->"


def markdown(results: Mapping[str, Mapping[str, Any]]) -> str:
    """A section for each full benchmark, in the order of the file."""
    return "\n\n".join(section(name, found) for name, found in results.items() if not name.endswith("--quick"))


def section(name: str, found: Mapping[str, Any]) -> str:
    """Where and when a benchmark was measured, its ratios, its rows, its notes."""
    measured = (
        f"{found['date']}, commit `{found['commit']}`, {found['machine']}, {format_peak(found)}, "
        f"{found['minutes']} min: `python -m benchmarks.{name}`"
    )
    parts = [f"### {found['title']}", measured]
    if found["ratios"]:
        ratios = [
            [ratio, f"{now['value']:.3f}", "" if now["limit"] is None else f"{now['limit']:.2f}", verdict(now)]
            for ratio, now in found["ratios"].items()
        ]
        parts.append(table(["ratio", "measured", "at most", ""], ratios))
    if found["rows"]:
        parts.append(table(found["columns"], found["rows"]))
    return "\n\n".join([*parts, *found["notes"]])


def table(columns: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A markdown table."""
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
