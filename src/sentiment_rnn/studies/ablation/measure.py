"""`make ablation`: runs the missing trainings, and writes reports/ablation.md."""

from collections.abc import Sequence
from pathlib import Path

from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file, write_json
from sentiment_rnn.params import Params
from sentiment_rnn.studies.ablation import report
from sentiment_rnn.studies.ablation.variant import UNCHANGED, plan
from sentiment_rnn.studies.experiment import Context, finished_runs
from sentiment_rnn.studies.runner import exclusive_lock, run_missing
from sentiment_rnn.tracking.store import connect


def measure(params: Params, names: Sequence[str] = ()) -> None:
    """Run the ablation's missing trainings; write its table, its plot and its metrics.

    Args:
        params: `ablation` and the models that it changes are used.
        names: of the variants to run beside the unchanged model; none: all. The report has every variant that is
            finished, whenever it was run.

    Raises:
        UserError: an input is missing, a name is unknown, another process measures, a worker died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same command resumes.
    """
    if unknown := set(names) - set(params.ablation.variants):
        known = ", ".join(map(repr, params.ablation.variants))
        raise UserError(f"ablation.variants has no {', '.join(map(repr, sorted(unknown)))}; it has {known}")
    context = Context(params.trainer, Path("data/tokens"), Path("work/ablation"), "ablation")
    with exclusive_lock(context):
        variants = plan(params)
        client = connect()
        chosen = [variant for variant in variants if not names or variant.name in (UNCHANGED, *names)]
        run_missing(client, chosen, context, params.ablation.workers)
        found = report.rows(variants, finished_runs(client, context), context)
    dataset = load_identity(context.tokens)["dataset"]
    write_json("reports/ablation.json", {"dataset": dataset, "variants": report.values(found)})
    table = report.markdown(found, params.ablation, dataset, context)
    with atomic_file("reports/ablation.md") as file:
        file.write(table)
    report.plot(found).savefig("reports/ablation.png", dpi=120)
    print(table)
