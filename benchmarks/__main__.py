"""All benchmarks, one after another, each in a process of its own: `make bench`, `make bench-quick`.

    python -m benchmarks [--quick] [--keep] [NAME ...]

What one of them found is kept as soon as it ends: stopped, all but the one under way is there.
"""

import argparse
import subprocess
import sys

from benchmarks import render

# those that a bar hangs on first
FULL = (
    "overhead", "epoch", "accuracy", "tokenizing", "scaling", "stages", "search", "serving", "levers", "gpu",
)  # fmt: skip
QUICK = ("overhead", "tokenizing", "epoch", "stages")


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *FULL], metavar="NAME", help=", ".join(FULL))
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--keep", action="store_true")
    arguments = parser.parse_args()
    options = ["--quick"] * arguments.quick + ["--keep"] * arguments.keep
    slower = []
    for name in arguments.names or (QUICK if arguments.quick else FULL):
        done = subprocess.run([sys.executable, "-m", f"benchmarks.{name}", *options], check=False)
        if done.returncode:
            slower.append(name)
    render.main()
    if slower:
        print(f"slower than what was kept, or failed: {', '.join(slower)}")
        sys.exit(1)


if __name__ == "__main__":
    main()
