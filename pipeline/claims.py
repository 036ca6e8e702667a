"""`make claims`: claims about the recurrent family, measured, in reports/claims.md.

Not a stage: MLflow holds the finished trainings, each found by its inputs, and it can be stopped at any time.
"""

from pipeline import parser
from sentiment_rnn import params


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.studies.claims.measure import measure

    measure(chosen)


if __name__ == "__main__":
    parser("claims", "Measure claims about the recurrent family.").parse_args()
    main()
