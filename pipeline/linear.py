"""Stage linear@RIVAL: a linear rival in models/RIVAL, its figures in reports/train/RIVAL.json."""

from pathlib import Path

from pipeline import architecture_named, report_of
from sentiment_rnn import params
from sentiment_rnn.files import write_json
from sentiment_rnn.linear.train import train


def main(name: str) -> None:
    report = train(
        name,
        params.load().rival_of(name),
        raw=Path("data/raw"),
        tokens=Path("data/tokens"),
        out=Path(f"models/{name}"),
    )
    write_json(f"reports/train/{name}.json", report_of(name, "linear", [report]))


if __name__ == "__main__":
    main(architecture_named())
