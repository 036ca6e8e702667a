"""Stage pseudo_label_NAME: the teachers' predictions on the unlabeled reviews in data/pseudo_labels/NAME."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main(name: str) -> None:
    chosen = params.load()
    from sentiment_rnn.training.distillation import pseudo_label

    pseudo_label(
        name,
        chosen,
        raw=Path("data/raw"),
        tokens=Path("data/tokens"),
        models=Path("models"),
        out=Path("data/pseudo_labels", name),
    )


if __name__ == "__main__":
    main(
        parser("pseudo_label", "Predict the unlabeled reviews with a model's teachers.", "a key of models")
        .parse_args()
        .name
    )
