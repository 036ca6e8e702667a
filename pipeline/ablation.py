"""`make ablation`: what each part of the recipe `best` is worth, on validation, in reports/ablation.md.

Not a stage: its trainings are remembered by MLflow, each by what it is made of, and it can be stopped at any time.
"""

from pathlib import Path

import datasets

from sentiment_rnn import params
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.files import write_json
from sentiment_rnn.params import Params
from sentiment_rnn.studies.ablation import report
from sentiment_rnn.studies.ablation.variant import plan
from sentiment_rnn.studies.experiment import Context, done
from sentiment_rnn.studies.pool import alone, run_missing
from sentiment_rnn.tracking.store import connect


def main() -> None:
    datasets.disable_progress_bars()
    chosen = params.load()
    context = Context(chosen.trainer, Path("data/tokens"), Path("work/ablation"), "ablation")
    with alone(context):
        measure(chosen, context)


def measure(chosen: Params, context: Context) -> None:
    variants = plan(chosen)
    client = connect()
    run_missing(client, variants, context, chosen.ablation.workers)
    found = report.rows(variants, done(client, context), context)
    dataset = load_identity(context.tokens)["dataset"]
    Path("reports").mkdir(exist_ok=True)
    write_json("reports/ablation.json", {"dataset": dataset, "variants": report.values(found)})
    table = report.markdown(found, chosen.ablation, dataset, context)
    Path("reports/ablation.md").write_text(table)
    report.picture(found).savefig("reports/ablation.png", dpi=120)
    print(table)


if __name__ == "__main__":
    main()
