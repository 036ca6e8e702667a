"""Measuring, saving and showing, shared by all benchmarks.

A benchmark is a module with a `TITLE` and a function `measure(quick)` that returns a `Result`. Every ratio is the time
(or memory) of this project over that of something else: less is better.
"""

import argparse
import datetime
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import torch
from rich.console import Console
from rich.table import Table
from tqdm import tqdm

from sentiment_rnn import params
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.training.devices import machine

RESULTS = Path("benchmarks/results.json")
REGRESSION = 1.15  # relative to the saved ratio; less is noise of the machine


class Ratio(NamedTuple):
    """A ratio of two times or sizes, and its upper limit (None: there is none)."""

    value: float
    limit: float | None = None


class Result(NamedTuple):
    """Ratios by name, the table of the values behind them, and notes below it."""

    ratios: dict[str, Ratio]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def interleaved(runs: Mapping[str, Callable[[], float]], repeats: int, warm_up: int = 0) -> dict[str, list[float]]:
    """The values of each run; all runs once per repeat, so that other load on the machine affects them alike.

    Args:
        runs: functions that measure themselves, by name.
        repeats: number of measured repeats.
        warm_up: number of repeats before them whose values are dropped.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in tqdm(range(-warm_up, repeats), desc=", ".join(runs), leave=False, disable=None):
        for name, run in runs.items():
            value = run()
            if repeat >= 0:
                taken[name].append(value)
    return taken


def median_ratio(taken: Mapping[str, Sequence[float]], name: str, reference: str) -> float:
    """The median over the repeats of one run's value over the reference's in the same repeat."""
    return statistics.median(a / b for a, b in zip(taken[name], taken[reference], strict=True))


def seconds(run: Callable[[], Any]) -> float:
    """Seconds of one call."""
    begin = time.perf_counter()
    run()
    return time.perf_counter() - begin


def peak_gflops(size: int = 2048, repeats: int = 5) -> dict[str, float]:
    """GFLOP/s of a matrix product on this machine in float32 and bfloat16, the upper bound for any network."""
    found = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
        taken = interleaved({name: lambda a=a, b=b: seconds(lambda: a @ b)}, repeats, warm_up=1)[name]
        found[name] = round(2 * size**3 / statistics.median(taken) / 1e9)
    return found


def peak_megabytes() -> int:
    """The peak memory of this process in MiB (`ru_maxrss` would include its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


def commit() -> str:
    """The commit that is measured; with `+` if tracked files differ from it."""
    line = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    return subprocess.run(line, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def command(name: str, title: str, measure: Callable[[bool], Result]) -> None:
    """The command line of a benchmark: measure, compare with the saved result, print, save.

    A full result is always saved, a quick one if there is none yet or with `--save`. Exits with 1 if a ratio is worse
    than the saved one.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=title)
    parser.add_argument("--quick", action="store_true", help="fewer repeats on less data, to find regressions")
    parser.add_argument("--save", action="store_true", help="a quick result replaces the saved one")
    arguments = parser.parse_args()
    key = f"{name} --quick" if arguments.quick else name
    begin = time.perf_counter()
    found = {
        "title": title,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": machine(params.load().trainer),
        "peak_gflops": peak_gflops(),
    }
    result = measure(arguments.quick)
    found |= {"minutes": round((time.perf_counter() - begin) / 60, 1), **result._asdict()}
    found["ratios"] = {name: {"value": round(r.value, 3), "limit": r.limit} for name, r in result.ratios.items()}
    saved = read_json(RESULTS) if RESULTS.exists() else {}
    worse = show(found, saved.get(key))
    if not arguments.quick or arguments.save or key not in saved:
        write_json(RESULTS, saved | {key: found})
    sys.exit(bool(worse))


def show(found: Mapping[str, Any], saved: Mapping[str, Any] | None) -> list[str]:
    """Print a result beside the saved one.

    Returns:
        The names of the ratios that are worse.
    """
    console = Console()
    console.print(f"\n[bold]{found['title']}[/bold]: {found['machine']}, {format_peak(found)}, {found['commit']}")
    table = Table("ratio", "now", "limit", "saved", "")
    before = saved["ratios"] if saved else {}
    worse = []
    for name, now in found["ratios"].items():
        last = before.get(name, {}).get("value")
        if last is not None and now["value"] > REGRESSION * last:
            worse.append(name)
        table.add_row(
            name,
            f"{now['value']:.3f}",
            "" if now["limit"] is None else f"{now['limit']:.2f}",
            "" if last is None else f"{last:.3f}",
            "[red]SLOWER[/red]" if name in worse else verdict(now),
        )
    console.print(table)
    rows = Table(*found["columns"])
    for row in found["rows"]:
        rows.add_row(*row)
    console.print(rows)
    for note in found["notes"]:
        console.print(note)
    return worse


def verdict(now: Mapping[str, float | None]) -> str:
    """Whether a ratio is within its limit."""
    if now["limit"] is None:
        return ""
    return "met" if now["value"] <= now["limit"] else "missed"  # type: ignore[operator]


def format_peak(found: Mapping[str, Any]) -> str:
    """The machine's peak in a few words."""
    gflops = found["peak_gflops"]
    return f"matrix product {gflops['float32']} GFLOP/s in float32, {gflops['bfloat16']} in bfloat16"


def run_module(module: str, *arguments: str) -> Any:
    """The JSON on the last line that `python -m MODULE ARGUMENTS` prints."""
    line = [sys.executable, "-m", module, *arguments]
    finished = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(finished.stdout.strip().splitlines()[-1])
