"""Stage baseline@NAME: a linear baseline in models/baselines/NAME, metrics in reports/train/baselines/NAME.json."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.files import write_json


def main(name: str) -> None:
    from sentiment_rnn.baselines.train import train

    chosen = params.load()
    report = train(
        name,
        chosen.baseline_of(name),
        raw=Path("data/raw"),
        tokens=Path("data/tokens"),
        out=Path("models/baselines", name),
    )
    write_json(f"reports/train/baselines/{name}.json", report)


if __name__ == "__main__":
    main(parser("baseline", "Train a linear baseline.", "a key of baselines").parse_args().name)
