"""Stage train@ARCH: the model of each seed in models/family/ARCH, metrics in reports/train/family/ARCH.json.

A model with teachers goes to models/distilled/NAME and reports/train/distilled/NAME.json.
"""

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.execution.launchers import check_launcher


def main(name: str) -> None:
    check_launcher()  # torchrun and srun start this stage in several processes
    chosen = params.load()  # a mistake in params.yaml is reported before torch is imported
    from sentiment_rnn.training.train import train

    train(name, chosen)


if __name__ == "__main__":
    main(parser("train", "Train all seeds of an architecture.", "a key of models").parse_args().name)
