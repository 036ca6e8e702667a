"""Run the benchmarks one after another, each in a process of its own: `make bench`, `make bench-quick`.

A result is saved as soon as its benchmark ends.
"""

import argparse
import subprocess
import sys

from benchmarks import render

FULL = ("overhead", "epoch", "tokenizing", "scaling", "idle", "search", "serving", "step_options", "gpu")
QUICK = ("overhead", "tokenizing", "epoch", "idle")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(FULL)} (default: all)")
    parser.add_argument("--quick", action="store_true", help=f"a few minutes (default: {', '.join(QUICK)})")
    parser.add_argument("--save", action="store_true", help="quick results replace the saved ones")
    arguments = parser.parse_args()
    if unknown := set(arguments.names) - set(FULL):
        parser.error(f"no benchmark {min(unknown)}; there are {', '.join(FULL)}")
    options = ["--quick"] * arguments.quick + ["--save"] * arguments.save
    failed = []
    for name in arguments.names or (QUICK if arguments.quick else FULL):
        finished = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False)
        if finished.returncode:
            failed.append(name)
    render.main()
    if failed:
        print(f"slower than the saved result, or failed: {', '.join(failed)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
