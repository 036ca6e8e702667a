"""Stage search@ARCH: the best values in searches/ARCH.json, the study's metrics in reports/search/ARCH.json.

As a job: `python -m pipeline.search bilstm --trials 50`, on as many machines as share a storage.
"""

import argparse
from pathlib import Path

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.files import write_json


def main(name: str, n_trials: int | None = None) -> None:
    chosen = params.load()
    model, search_params = chosen.model_of(name), chosen.search
    if n_trials is not None:
        search_params = search_params.model_copy(update={"n_trials": n_trials})
    report = {"architecture": name, "best": {}, "trials": []}
    if name in search_params.architectures or n_trials is not None:
        from sentiment_rnn.search.launch import search

        report = search(
            name,
            model,
            search_params,
            chosen.trainer,
            tokens=Path("data/tokens"),
            word_vectors=Path("data/word_vectors"),
            work=Path("work/search", name),
        )
    else:
        print(f"{name}: not in search.architectures, params.yaml's values are used", flush=True)
    write_json(f"searches/{name}.json", report["best"])
    write_json(f"reports/search/{name}.json", report)


def count(text: str) -> int:
    """A number of trials, from the command line."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"should be an integer above 0 (it is {text!r})")
    return int(text)


if __name__ == "__main__":
    commands = parser("search", "Search an architecture's hyperparameters.", "a key of models")
    commands.add_argument("--trials", type=count, help="finished trials to end with (default: search.n_trials)")
    arguments = commands.parse_args()
    main(arguments.name, arguments.trials)
