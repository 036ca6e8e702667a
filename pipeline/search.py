"""Stage search@ARCH: the best values found in searches/ARCH.json, the study's figures in reports/search/ARCH.json.

As a job: `python -m pipeline.search bilstm --trials 50`, on as many machines as share a storage.
"""

import argparse
from pathlib import Path

from pipeline import pretrained
from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import write_json
from sentiment_rnn.search.launch import search


def main(name: str, trials: int | None = None) -> None:
    chosen = params.load()
    if chosen.model_of(name).teachers:
        raise UserError(f"params.yaml: models.{name}.teachers: a trial has none: [] to search")
    asked = chosen.search if trials is None else chosen.search.model_copy(update={"trials": trials})
    report = search(
        name,
        chosen.model_of(name),
        asked,
        chosen.trainer,
        tokens=Path("data/tokens"),
        pretrained=pretrained(name),
        work=Path(f"work/search/{name}"),
    )
    write_json(f"searches/{name}.json", report["best"])
    write_json(f"reports/search/{name}.json", report)


def count(text: str) -> int:
    """A number of trials, from the command line."""
    if not text.isdecimal() or not int(text):
        raise argparse.ArgumentTypeError(f"should be a whole number above 0 (it is {text!r})")
    return int(text)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="python -m pipeline.search", description="Search one architecture's values.")
    parser.add_argument("architecture", help="a name of params.yaml's models")
    parser.add_argument(
        "--trials", type=count, help="finished trials to end with (default: search.trials of params.yaml)"
    )
    arguments = parser.parse_args()
    main(arguments.architecture, arguments.trials)
