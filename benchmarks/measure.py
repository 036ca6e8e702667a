"""What the benchmarks share: runs in turn, medians, the machine and its peak, what is kept and how it is shown.

A benchmark is a module with a `TITLE` and `measure(quick)`, which gives a `Result`. Every ratio is this project's cost
over another's: less is better.
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
SLOWER = 1.15  # times the kept ratio: what a noisy machine does by itself is less


class Ratio(NamedTuple):
    """A cost over another, and the most it should be (None: it is shown for its own sake)."""

    value: float
    bar: float | None = None


class Result(NamedTuple):
    """Ratios by name; the rows that they come from; what one has to know to read them."""

    ratios: dict[str, Ratio]
    columns: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


def in_turn(runs: Mapping[str, Callable[[], float]], repeats: int, warm_up: int = 0) -> dict[str, list[float]]:
    """What each run gives, repeat for repeat one after the other: what else the machine does meets all of them alike.

    Args:
        runs: by name; each measures itself.
        repeats: that are kept, after
        warm_up: that are not.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for repeat in tqdm(range(-warm_up, repeats), desc=", ".join(runs), leave=False, disable=None):
        for name, run in runs.items():
            value = run()
            if repeat >= 0:
                taken[name].append(value)
    return taken


def ratio(taken: Mapping[str, Sequence[float]], name: str, reference: str) -> float:
    """The median over the repeats of one run's figure over that of another in the same repeat."""
    return statistics.median(a / b for a, b in zip(taken[name], taken[reference], strict=True))


def seconds(run: Callable[[], Any]) -> float:
    """Of one call."""
    began = time.perf_counter()
    run()
    return time.perf_counter() - began


def peak(size: int = 2048, repeats: int = 5) -> dict[str, float]:
    """GFLOP/s of a matrix product on this machine, float32 and bfloat16: what no network can beat."""
    found = {}
    for name, dtype in (("float32", torch.float32), ("bfloat16", torch.bfloat16)):
        a, b = (torch.randn(size, size).to(dtype) for _ in range(2))
        taken = in_turn({name: lambda a=a, b=b: seconds(lambda: a @ b)}, repeats, warm_up=1)[name]
        found[name] = round(2 * size**3 / statistics.median(taken) / 1e9)
    return found


def peak_megabytes() -> int:
    """The most memory that this process has had at once, in MiB (`ru_maxrss` would begin with its parent's)."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) >> 10


def commit() -> str:
    """The commit that is measured; `+` where something tracked differs from it."""
    described = ["git", "describe", "--always", "--exclude=*", "--dirty=+"]
    return subprocess.run(described, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def command(name: str, title: str, measure: Callable[[bool], Result]) -> None:
    """A benchmark from the command line: measure, show, compare with what is kept, keep.

    A full one is kept; a quick one where none is, or with `--keep`. Exits with 1 where a ratio is worse than was kept.
    """
    parser = argparse.ArgumentParser(prog=f"python -m benchmarks.{name}", description=title)
    parser.add_argument("--quick", action="store_true", help="seconds instead of minutes: for a look at regressions")
    parser.add_argument("--keep", action="store_true", help="a quick one takes the place of what was kept")
    arguments = parser.parse_args()
    key = f"{name} --quick" if arguments.quick else name
    began = time.perf_counter()
    found = {
        "title": title,
        "date": datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit(),
        "machine": machine(params.load().trainer),
        "peak_gflops": peak(),
    }
    result = measure(arguments.quick)
    found |= {"minutes": round((time.perf_counter() - began) / 60, 1), **result._asdict()}
    found["ratios"] = {name: {"value": round(r.value, 3), "bar": r.bar} for name, r in result.ratios.items()}
    kept = read_json(RESULTS) if RESULTS.exists() else {}
    worse = show(found, kept.get(key))
    if not arguments.quick or arguments.keep or key not in kept:
        write_json(RESULTS, kept | {key: found})
    sys.exit(bool(worse))


def show(found: Mapping[str, Any], kept: Mapping[str, Any] | None) -> list[str]:
    """Print a result beside the one that was kept.

    Returns:
        The names of the ratios that are worse.
    """
    console = Console()
    console.print(f"\n[bold]{found['title']}[/bold]: {found['machine']}, {peak_in_words(found)}, {found['commit']}")
    table = Table("ratio", "now", "bar", "kept", "")
    before = kept["ratios"] if kept else {}
    worse = []
    for name, now in found["ratios"].items():
        last = before.get(name, {}).get("value")
        if last is not None and now["value"] > SLOWER * last:
            worse.append(name)
        table.add_row(
            name,
            f"{now['value']:.3f}",
            "" if now["bar"] is None else f"{now['bar']:.2f}",
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
    """Whether a ratio keeps to its bar."""
    if now["bar"] is None:
        return ""
    return "holds" if now["value"] <= now["bar"] else "misses"  # type: ignore[operator]


def peak_in_words(found: Mapping[str, Any]) -> str:
    """The machine's limit, as a line says it."""
    gflops = found["peak_gflops"]
    return f"matrix product {gflops['float32']} GFLOP/s in float32, {gflops['bfloat16']} in bfloat16"


def child(module: str, *arguments: str) -> Any:
    """What another Python process prints as JSON on its last line: `python -m MODULE ARGUMENTS`."""
    line = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(line, stdout=subprocess.PIPE, text=True, check=True)
    return json.loads(done.stdout.strip().splitlines()[-1])
