"""`make ablation`: the effect of each ingredient of an architecture, on validation, in reports/ablation.md.

Not a stage: MLflow holds the finished trainings, each found by its inputs, and it can be stopped at any time.
"""

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.studies.ablation.measure import measure

    measure(chosen)


if __name__ == "__main__":
    parser("ablation", "Measure the effect of each ingredient of an architecture.").parse_args()
    main()
