"""Stage compare: the family and the baselines on test in reports/comparison.{json,csv,md,png}."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.inference.compare import compare

    compare(chosen, raw=Path("data/raw"), tokens=Path("data/tokens"), models=Path("models"), reports=Path("reports"))


if __name__ == "__main__":
    parser("compare", "Evaluate the family and the baselines on test.").parse_args()
    main()
