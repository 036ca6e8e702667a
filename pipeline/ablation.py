"""`make ablation`: the effect of each component of an architecture, on validation, in reports/ablation.md.

Not a stage: MLflow holds the finished trainings, each found by its inputs, and it can be stopped at any time.
"""

from collections.abc import Sequence

from pipeline import parser
from sentiment_rnn import params


def main(variants: Sequence[str] = ()) -> None:
    chosen = params.load()
    from sentiment_rnn.studies.ablation.measure import measure

    measure(chosen, variants)


if __name__ == "__main__":
    arguments = parser("ablation", "Measure the effect of each component of an architecture.")
    arguments.add_argument("variants", nargs="*", metavar="VARIANT", help="a key of ablation.variants; none: all")
    main(arguments.parse_args().variants)
