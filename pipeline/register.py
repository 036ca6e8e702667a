"""Stage register: registry.candidate, calibrated, as a version of the registered model; reports/registered.json."""

from pathlib import Path

from pipeline import parser
from sentiment_rnn import params
from sentiment_rnn.files import write_json


def main() -> None:
    chosen = params.load()
    from sentiment_rnn.inference.registration import register

    report = register(
        chosen,
        tokens=Path("data/tokens"),
        models=Path("models"),
        reports=Path("reports/train"),
        work=Path("work/registered"),
    )
    write_json("reports/registered.json", report)


if __name__ == "__main__":
    parser("register", "Register the candidate's model.").parse_args()
    main()
