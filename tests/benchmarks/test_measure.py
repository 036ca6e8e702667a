"""What all benchmarks share: turns, ratios, what is kept and what is called slower, the page that shows it."""

import json
import sys
from pathlib import Path

import pytest

from benchmarks import measure, render
from benchmarks.measure import Ratio, Result


def test_runs_take_turns_and_the_first_ones_only_warm_up():
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = measure.in_turn({name: lambda name=name: run(name) for name in "ab"}, repeats=2, warm_up=1)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert taken == {"a": [3, 5], "b": [4, 6]}


def test_a_ratio_is_the_median_of_the_repeats_own_ratios():
    # the machine was ten times as slow in the second repeat, for both
    assert measure.ratio({"a": [1.0, 20.0, 3.0], "b": [2.0, 20.0, 3.0]}, "a", "b") == 1.0


@pytest.fixture
def bench(project: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a benchmark that finds this ratio, from the command line; its exit status and what is kept after it."""
    (project / "benchmarks").mkdir()
    monkeypatch.setattr(measure, "peak", lambda: {"float32": 100, "bfloat16": 400})

    def run(value: float, *options: str) -> tuple[int, dict]:
        result = Result({"ours / theirs": Ratio(value, 0.67)}, ["loop", "s"], [["ours", "1.0"]], ["A note."])
        monkeypatch.setattr(sys, "argv", ["bench", *options])
        with pytest.raises(SystemExit) as ended:
            measure.command("toy", "Toy", lambda quick: result)
        return int(ended.value.code), json.loads(measure.RESULTS.read_text())

    return run


def test_a_quick_one_is_kept_first_and_then_compared(bench, capsys):
    status, kept = bench(0.5, "--quick")
    assert (status, kept["toy --quick"]["ratios"]["ours / theirs"]) == (0, {"value": 0.5, "bar": 0.67})
    status, kept = bench(0.55, "--quick")
    assert (status, kept["toy --quick"]["ratios"]["ours / theirs"]["value"]) == (0, 0.5), "within the noise"
    capsys.readouterr()
    status, kept = bench(0.6, "--quick")
    assert (status, kept["toy --quick"]["ratios"]["ours / theirs"]["value"]) == (1, 0.5)
    assert "SLOWER" in capsys.readouterr().out
    _, kept = bench(0.6, "--quick", "--keep")
    assert kept["toy --quick"]["ratios"]["ours / theirs"]["value"] == 0.6


def test_the_page_shows_what_was_kept_and_nothing_else_changes(bench, project, capsys):
    bench(0.9)
    bench(0.5, "--quick")
    (project / "docs").mkdir()
    render.PAGE.write_text(f"before\n{render.BEGIN}\nold\n{render.END}\nafter\n")
    for _ in range(2):  # and once more is the same
        render.main()
        page = render.PAGE.read_text()
        assert page.startswith(f"before\n{render.BEGIN}\n\n### Toy\n")
        assert page.endswith(f"{render.END}\nafter\n")
        assert "old" not in page
        assert page.count("| ours / theirs | 0.900 | 0.67 | misses |") == page.count("| ours / theirs |") == 1
        assert "100 GFLOP/s in float32, 400 in bfloat16" in page
        assert "A note." in page


def test_the_projects_page_has_the_place_for_the_results():
    page = (Path(__file__).parents[2] / render.PAGE).read_text()
    assert page.index(render.BEGIN) < page.index(render.END)
