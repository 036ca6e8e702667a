"""Stage train@ARCH: the model of each seed in models/family/ARCH, metrics in reports/train/family/ARCH.json.

For a model with teachers: models/distilled/NAME and reports/train/distilled/NAME.json.
"""

from pipeline import parser
from sentiment_rnn import params


def main(name: str) -> None:
    chosen = params.load()  # before torch is imported: an error in params.yaml appears at once
    from sentiment_rnn.training.train import train

    train(name, chosen)


if __name__ == "__main__":
    main(parser("train", "Train all seeds of an architecture.", "a key of models").parse_args().name)
