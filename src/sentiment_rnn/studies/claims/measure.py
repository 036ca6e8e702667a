"""`make claims`: runs the missing trainings, and writes reports/claims.md."""

from pathlib import Path

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import write_json
from sentiment_rnn.params import Params, updated
from sentiment_rnn.studies.claims import report, timing
from sentiment_rnn.studies.claims.claims import CLAIMS, OVERVIEW, evaluate_claim, tag_runs
from sentiment_rnn.studies.claims.plan import COMPARED, plan
from sentiment_rnn.studies.claims.plots import make_plots
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.experiment import Context
from sentiment_rnn.studies.runner import exclusive_lock, run_missing
from sentiment_rnn.tracking.store import connect


def measure(params: Params) -> None:
    """Run the missing trainings of all claims; write the report, its plots and its values.

    Raises:
        UserError: an input is missing or too small, another process measures, a worker died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same command resumes.
    """
    context = Context(params.trainer, Path("data/tokens"), Path("work/claims"), "claims")
    with exclusive_lock(context):
        _measure(params, context)


def _measure(params: Params, context: Context) -> None:
    train = len(TokenizedReviews(context.tokens, ["train"], Encoding(**params.model.encoding())))
    params = limit_sizes(params, train)
    claims, experiments = params.claims, plan(params)
    client = connect()
    print("claims: timing a training step of each architecture", flush=True)
    models = {name: updated(params.model_of(name), claims.model) for name in COMPARED}
    timing_run = timing.measure_steps(client, models, context)  # before the workers, which would slow it down
    run_missing(client, experiments, context, claims.workers)

    results = Results(client, experiments, context, timing_run)
    findings = [evaluate_claim(claim, results, claims) for claim in CLAIMS]
    plots = make_plots(findings, results, claims, train)
    findings = [
        finding
        if finding.claim.plot == OVERVIEW
        else finding._replace(run_ids=finding.run_ids | plots[finding.claim.plot].run_ids)
        for finding in findings
    ]
    tag_runs(client, findings, context)
    folder = Path("reports/claims")
    folder.mkdir(parents=True, exist_ok=True)
    for file, plot in plots.items():
        plot.figure.savefig(folder / file, dpi=120)
    dataset = load_identity(context.tokens)["dataset"]
    write_json("reports/claims.json", report.values(findings, results, dataset, context))
    Path("reports/claims.md").write_text(report.markdown(findings, results, claims, dataset, context))
    for finding in findings:
        print(f"{finding.verdict:>13}: {finding.claim.statement}")
    print("reports/claims.md has the effects and the plots")


def limit_sizes(params: Params, train: int) -> Params:
    """Without the sizes in `claims` that exceed the number of training reviews.

    Raises:
        UserError: none remains.
    """
    claims = params.claims
    reviews = min(claims.reviews, train - 1)
    sizes = {
        "learning_curve": [size for size in claims.learning_curve if size < reviews],
        "labeled": [size for size in claims.labeled if size <= train],
    }
    for key, remaining in sizes.items():
        if not remaining:
            raise UserError(f"params.yaml: claims.{key}: train has {train:,} reviews: name a smaller size")
    return params.model_copy(update={"claims": claims.model_copy(update={"reviews": reviews, **sizes})})
