"""Stage search@ARCH: the best values in searches/ARCH.json, the study's result in reports/search/ARCH.json.

As a job: `python -m pipeline.search bilstm --trials 50`; on a Ray cluster where RAY_ADDRESS names one.
"""

import argparse

from pipeline import parser
from sentiment_rnn import params


def main(name: str, n_trials: int | None = None) -> None:
    chosen = params.load()
    from sentiment_rnn.search import stage

    stage.run(name, chosen, n_trials)


def positive(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"should be an integer above 0 (it is {text!r})")
    return int(text)


if __name__ == "__main__":
    commands = parser("search", "Search an architecture's hyperparameters.", "a key of models")
    commands.add_argument("--trials", type=positive, help="finished trials to end with (default: search.n_trials)")
    arguments = commands.parse_args()
    main(arguments.name, arguments.trials)
