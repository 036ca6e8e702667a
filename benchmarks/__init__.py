"""What the project costs, measured: `make bench` runs all of it, `python -m benchmarks.NAME` a part.

Run from the project's root with a venv that has it, on the reviews at hand (data/raw, data/tokens). Results are in
docs/performance.md.
"""

import pipeline  # noqa: F401  (as a stage: how OpenMP's threads wait, a user's error in one line)
