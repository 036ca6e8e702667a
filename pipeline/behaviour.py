"""Stage behaviour: the family and the baselines on the behaviour suite in reports/behaviour.{json,md}."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.inference.behaviour import behaviour

    behaviour(chosen, tokens=Path("data/tokens"), models=Path("models"), reports=Path("reports"))


if __name__ == "__main__":
    parser("behaviour", "Run the behaviour suite on the family and the baselines.").parse_args()
    main()
