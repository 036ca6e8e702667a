"""Stage download: the checked raw splits in data/raw, their statistics in reports/data.json and data/card.md."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.data.sources import download
    from sentiment_rnn.files import write_json

    write_json("reports/data.json", download(chosen, Path("data/raw"), Path("data/card.md")))


if __name__ == "__main__":
    parser("download", "Download the data set that data.dataset names.").parse_args()
    main()
