"""Benchmarks: `make bench` runs all of them, `python -m benchmarks.NAME` one.

Run them from the project's root, after `dvc repro tokenize`. The saved results are in docs/performance.md.
"""

import pipeline  # noqa: F401  (as for a stage: OpenMP's waiting threads, a user's mistake in one line)
