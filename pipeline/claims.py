"""`make claims`: run the trainings that the documents' claims need and that are not done yet, write reports/claims.md.

Not a stage: its trainings are remembered by MLflow, each by what it is made of, and it can be stopped at any time.
"""

from pathlib import Path

import datasets

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import write_json
from sentiment_rnn.params import Params, updated
from sentiment_rnn.studies.claims import report, timing
from sentiment_rnn.studies.claims.claims import CLAIMS, find, tag
from sentiment_rnn.studies.claims.plan import COMPARED, plan
from sentiment_rnn.studies.claims.plots import draw
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.studies.pool import alone, run_missing
from sentiment_rnn.tracking.store import connect


def main() -> None:
    datasets.disable_progress_bars()
    context = Context(params.load().trainer, Path("data/tokens"), Path("work/claims"), "claims")
    with alone(context):
        measure(params.load(), context)


def measure(chosen: Params, context: Context) -> None:
    train = len(TokenizedReviews(context.tokens, ["train"], Encoding(**chosen.model.encoding())))
    chosen = within(chosen, train)
    experiments = plan(chosen)
    client = connect()
    print("claims: timing a training step of each architecture", flush=True)
    timed = {name: updated(chosen.model_of(name), chosen.claims.model) for name in COMPARED}
    timing_run = timing.measure(client, timed, context)  # first and alone: beside others it would time them too
    run_missing(client, experiments, context, chosen.claims.workers)

    results = Results(client, experiments, context, timing_run)
    findings = [find(claim, results, chosen.claims) for claim in CLAIMS]
    pictures = draw(findings, results, chosen.claims, train)
    findings = [finding.shown_in(pictures[finding.claim.plot].run_ids) for finding in findings]
    tag(client, findings, context)
    folder = Path("reports/claims")
    folder.mkdir(parents=True, exist_ok=True)
    for file, picture in pictures.items():
        picture.figure.savefig(folder / file, dpi=120)
    dataset = load_identity(context.tokens)["dataset"]
    write_json("reports/claims.json", report.values(findings, results, dataset, context))
    Path("reports/claims.md").write_text(report.markdown(findings, results, chosen.claims, dataset, context))
    for finding in findings:
        print(f"{finding.verdict:>13}: {finding.claim.says}")
    print("reports/claims.md has the figures and the pictures")


def within(chosen: Params, train: int) -> Params:
    """Sizes that the reviews at hand do not have are left out.

    Raises:
        UserError: none is left.
    """
    claims = chosen.claims
    sizes = {
        "reviews": min(claims.reviews, train - 1),
        "learning_curve": [size for size in claims.learning_curve if size < min(claims.reviews, train - 1)],
        "labelled": [size for size in claims.labelled if size <= train],
    }
    for key in ("learning_curve", "labelled"):
        if not sizes[key]:
            raise UserError(f"params.yaml: claims.{key}: train has {train:,} reviews: name a smaller size")
    return chosen.model_copy(update={"claims": claims.model_copy(update=sizes)})


if __name__ == "__main__":
    main()
