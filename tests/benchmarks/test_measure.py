"""Interleaved runs, ratios, saved results and regressions, the page of results, the list of benchmarks."""

import importlib
import json
import sys
from pathlib import Path

import pytest

from benchmarks import __main__ as all_benchmarks
from benchmarks import measure, render
from benchmarks.measure import Ratio, Result

ROOT = Path(__file__).parents[2]


def test_runs_are_interleaved_and_warm_up_values_are_dropped():
    order: list[str] = []

    def run(name: str) -> float:
        order.append(name)
        return float(len(order))

    taken = measure.interleaved({name: lambda name=name: run(name) for name in "ab"}, repeats=2, warm_up=1)
    assert order == ["a", "b", "a", "b", "a", "b"]
    assert taken == {"a": [3, 5], "b": [4, 6]}


def test_a_ratio_is_the_median_of_the_ratios_of_each_repeat():
    # the machine was ten times as slow in the second repeat, for both
    assert measure.median_ratio({"a": [1.0, 20.0, 3.0], "b": [2.0, 20.0, 3.0]}, "a", "b") == 1.0


@pytest.fixture
def bench(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Run a benchmark with this ratio from the command line: its exit status and the saved results."""
    (tmp_path / "benchmarks").mkdir()
    (tmp_path / "params.yaml").write_text((ROOT / "params.yaml").read_text())
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(measure, "peak_gflops", lambda: {"float32": 100, "bfloat16": 400})

    def run(value: float, *options: str) -> tuple[int, dict]:
        result = Result({"ours / theirs": Ratio(value, 0.67)}, ["loop", "s"], [["ours", "1.0"]], ["A note."])
        monkeypatch.setattr(sys, "argv", ["bench", *options])
        with pytest.raises(SystemExit) as ended:
            measure.command("toy", "Toy", lambda quick: result)
        return int(ended.value.code), json.loads(measure.RESULTS.read_text())

    return run


def test_the_first_quick_result_is_saved_and_later_ones_are_compared_with_it(bench, capsys):
    status, saved = bench(0.5, "--quick")
    assert (status, saved["toy --quick"]["ratios"]["ours / theirs"]) == (0, {"value": 0.5, "limit": 0.67})
    status, saved = bench(0.55, "--quick")
    assert (status, saved["toy --quick"]["ratios"]["ours / theirs"]["value"]) == (0, 0.5), "within the noise"
    capsys.readouterr()
    status, saved = bench(0.6, "--quick")
    assert (status, saved["toy --quick"]["ratios"]["ours / theirs"]["value"]) == (1, 0.5)
    assert "SLOWER" in capsys.readouterr().out
    _, saved = bench(0.6, "--quick", "--save")
    assert saved["toy --quick"]["ratios"]["ours / theirs"]["value"] == 0.6


def test_the_page_shows_the_full_results_and_nothing_else_changes(bench, tmp_path):
    bench(0.9)
    bench(0.5, "--quick")
    (tmp_path / "docs").mkdir()
    render.PAGE.write_text(f"before\n{render.BEGIN}\nold\n{render.END}\nafter\n")
    for _ in range(2):  # a second time changes nothing
        render.main()
        page = render.PAGE.read_text()
        assert page.startswith(f"before\n{render.BEGIN}\n\n### Toy\n")
        assert page.endswith(f"{render.END}\nafter\n")
        assert "old" not in page
        assert page.count("| ours / theirs | 0.900 | 0.67 | missed |") == page.count("| ours / theirs |") == 1
        assert "100 GFLOP/s in float32, 400 in bfloat16" in page
        assert "A note." in page


def test_the_projects_page_is_rendered_from_the_saved_results():
    page = (ROOT / render.PAGE).read_text()
    rendered = page.split(render.BEGIN)[1].split(render.END)[0].strip()
    assert rendered == render.markdown(json.loads((ROOT / measure.RESULTS).read_text()))


@pytest.mark.parametrize("name", all_benchmarks.FULL)
def test_every_benchmark_has_a_title_and_a_measure_function(name):
    module = importlib.import_module(f"benchmarks.{name}")
    assert module.TITLE
    assert callable(module.measure)
