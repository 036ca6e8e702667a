"""Stage baseline_predictions@NAME: a baseline's predictions on test in data/predictions/NAME.parquet."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main(name: str) -> None:
    from sentiment_rnn.baselines.predictions import predict

    params.load().baseline_of(name)
    predict(Path("models/baselines", name), raw=Path("data/raw"), out=Path("data/predictions", f"{name}.parquet"))


if __name__ == "__main__":
    main(parser("baseline_predictions", "Predict test with a linear baseline.", "a key of baselines").parse_args().name)
