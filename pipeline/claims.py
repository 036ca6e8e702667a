"""`make claims`: claims about the recurrent family, measured, in reports/claims.md.

Not a stage: MLflow and reports/claims/experiments.jsonl hold the finished experiments, each found by its inputs, and it
can be stopped at any time.
"""

from pipeline import parser
from sentiment_rnn import params


def main(quick: bool = False) -> None:
    chosen = params.load()
    from sentiment_rnn.studies.claims.measure import measure

    measure(chosen, quick)


if __name__ == "__main__":
    arguments = parser("claims", "Measure claims about the recurrent family.")
    arguments.add_argument("--quick", action="store_true", help="small settings; the report is in work/claims/quick")
    main(arguments.parse_args().quick)
