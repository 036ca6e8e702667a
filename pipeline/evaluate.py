"""Stage evaluate: the registered version on the raw test texts, its report, the alias champion; reports/evaluation."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.inference.evaluate_registered import evaluate_registered

    evaluate_registered(
        chosen,
        raw=Path("data/raw"),
        tokens=Path("data/tokens"),
        models=Path("models"),
        baseline_predictions=Path("data/predictions"),
        reports=Path("reports"),
    )


if __name__ == "__main__":
    parser("evaluate", "Evaluate the registered version on test.").parse_args()
    main()
