"""Stage predict@RIVAL: what a linear rival says of the test reviews, in data/predicted/RIVAL.parquet.

Both pipelines' evaluate stand beside it; counting the n-grams of 25,000 reviews once is enough.
"""

from pathlib import Path

from pipeline import architecture_named
from sentiment_rnn.data import store
from sentiment_rnn.evaluation.metrics import probabilities
from sentiment_rnn.linear import model as linear
from sentiment_rnn.report import predictions


def main(name: str) -> None:
    rival = linear.load(Path(f"models/{name}"))
    test = store.load_split("data/raw", "test")
    predictions.save(probabilities(rival.logits(test.texts)), test, Path(f"data/predicted/{name}.parquet"))


if __name__ == "__main__":
    main(architecture_named())
