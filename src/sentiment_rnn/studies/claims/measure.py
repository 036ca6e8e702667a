"""`make claims`: runs the missing experiments, and writes reports/claims.md."""

from collections.abc import Iterable, Sequence
from pathlib import Path

from mlflow import MlflowClient

from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import atomic_file, write_json
from sentiment_rnn.params import Params, updated
from sentiment_rnn.studies.claims import report, summary, timing
from sentiment_rnn.studies.claims.accuracy import ReviewTraining
from sentiment_rnn.studies.claims.findings import Finding, evaluate_claims, tag_runs
from sentiment_rnn.studies.claims.memory import MemoryTraining
from sentiment_rnn.studies.claims.plan import (
    COMPARED,
    Plan,
    candidates,
    make_plan,
    seeds,
    with_rates,
    with_seeds,
)
from sentiment_rnn.studies.claims.plots import make_plots
from sentiment_rnn.studies.claims.reservoir import CapacityMeasurement
from sentiment_rnn.studies.claims.results import Results
from sentiment_rnn.studies.claims.summary import Result
from sentiment_rnn.studies.claims.tuning import Selection, select
from sentiment_rnn.studies.experiment import CachedExperiment, Context, finished_runs
from sentiment_rnn.studies.runner import exclusive_lock, run_missing
from sentiment_rnn.tracking.store import connect

REPORTS, QUICK = Path("reports"), Path("work/claims/quick")


def measure(params: Params, quick: bool = False) -> None:
    """Run the missing experiments of all claims; write the report, its plots and its values, also when stopped.

    Args:
        params: all of params.yaml.
        quick: with the settings of `claims.quick`; the report is written to work/claims/quick.

    Raises:
        UserError: an input is missing or too small, another process measures, a worker died.
        KeyboardInterrupt: Ctrl-C or SIGTERM; the same command resumes.
    """
    if quick:
        params = params.model_copy(update={"claims": params.claims.quickly()})
    context = make_context(params)
    with exclusive_lock(context):
        study = Study(params, context, QUICK if quick else REPORTS)
        try:
            study.run()
        finally:
            study.write()


def make_context(params: Params) -> Context:
    """Where the experiments run; in one precision, so that one machine can finish what another began."""
    trainer = params.trainer.model_copy(update={"precision": params.claims.precision})
    return Context(trainer, Path("data/tokens"), Path("work/claims"), "claims")


class Study:
    """The experiments of all claims, with what is known of them.

    Args:
        params: all of params.yaml.
        context: where the experiments run.
        folder: of the report.
    """

    def __init__(self, params: Params, context: Context, folder: Path) -> None:
        train = len(TokenizedReviews(context.tokens, ["train"], Encoding(**params.model.encoding())))
        self.train = min(params.claims.accuracy.reviews or train, train)
        check_sizes(params, self.train)
        self.params, self.claims, self.context, self.folder = params, params.claims, context, folder
        self.plan: Plan = make_plan(params)
        self.models = {name: updated(params.model_of(name), self.claims.accuracy.model) for name in COMPARED}
        self.client: MlflowClient = connect()
        self.file = folder / "claims/experiments.jsonl"
        self.finished: dict[str, Result] = summary.load(self.file)
        self.note_finished()

    def run(self) -> None:
        """All experiments: of the cost, of the learning rates, with the first seeds, with the seeds that decide."""
        for setting in timing.settings(self.context.trainer):  # before the workers, which would slow it down
            if timing.cost_key(self.models, setting) not in self.finished:
                timing.measure_steps(self.client, self.models, self.context, setting)
        tried = candidates(self.plan, self.claims).values()
        for kind in ((CapacityMeasurement, MemoryTraining), ReviewTraining):  # the shorter ones first
            self.run_missing([one for several in tried for one in several if isinstance(one, kind)])
            chosen = [experiment for experiment in self.rated().values() if isinstance(experiment, kind)]
            self.run_missing([one for experiment in chosen for one in self.seeded(experiment)])
        rated = self.rated()
        more = self.seeds_that_decide()
        self.run_missing([one for name, count in more.items() for one in with_seeds(rated[name], count)])

    def run_missing(self, experiments: Sequence[CachedExperiment]) -> None:
        """Run those that are neither in MLflow nor in the committed file."""
        missing = [experiment for experiment in experiments if experiment.key(self.context) not in self.finished]
        print(f"claims: {len(experiments) - len(missing)} of {len(experiments)} experiments finished", flush=True)
        if missing:
            run_missing(self.client, missing, self.context, self.claims.workers)
            self.note_finished()

    def note_finished(self) -> None:
        """Add the runs that have finished since."""
        self.finished = summary.update(self.finished, self.client, finished_runs(self.client, self.context).values())

    def selections(self) -> list[Selection]:
        """The learning rates."""
        return select(self.plan, self.claims, self.finished, self.context)

    def rated(self) -> dict[str, CachedExperiment]:
        """The experiments whose learning rates are selected, by name."""
        rates = {selection.name: selection.rate for selection in self.selections()}
        known = {
            name: experiment
            for name, experiment in self.plan.experiments.items()
            if self.plan.tuned_as.get(name, name) in rates or name not in self.plan.tuned_as
        }
        return with_rates(self.plan._replace(experiments=known), rates)

    def seeded(self, experiment: CachedExperiment) -> list[CachedExperiment]:
        """With the first seeds."""
        return with_seeds(experiment, seeds(experiment, self.claims))

    def seeds_that_decide(self) -> dict[str, int]:
        """For each training on reviews the number of seeds that its claims need, by the spread of the first ones."""
        findings = evaluate_claims(self.results(only_first_seeds=True), self.claims)
        needed: dict[str, int] = {}
        for finding in findings:
            for name in finding.used:
                if isinstance(self.plan.experiments.get(name), ReviewTraining):
                    count = int(min(finding.seeds, self.claims.accuracy.max_seeds))
                    needed[name] = max(needed.get(name, 0), count)
        return {name: count for name, count in needed.items() if count > self.claims.accuracy.pilot_seeds}

    def results(self, only_first_seeds: bool = False) -> Results:
        """The results of the planned experiments, under their names in the plan."""
        found = []
        for name, experiment in self.rated().items():
            for one in (
                self.seeded(experiment) if only_first_seeds else with_seeds(experiment, self.most_seeds(experiment))
            ):
                if result := self.finished.get(one.key(self.context)):
                    found.append(result._replace(name=name, seed=one.seed))
        sizes = timing.sizes_key(self.models)  # those of other machines are in the committed file
        costs = {key.removeprefix(f"{sizes} "): one for key, one in self.finished.items() if key.startswith(sizes)}
        return Results(found, costs)

    def most_seeds(self, experiment: CachedExperiment) -> int:
        """Up to which seed results count."""
        return (
            self.claims.accuracy.max_seeds if isinstance(experiment, ReviewTraining) else seeds(experiment, self.claims)
        )

    def write(self) -> None:
        """Write the report from what is finished."""
        self.note_finished()
        results = self.results()
        findings = evaluate_claims(results, self.claims)
        tag_runs(self.client, findings, results, finished_runs(self.client, self.context).values())
        plots = make_plots(findings, results, self.claims, self.train)
        (self.folder / "claims").mkdir(parents=True, exist_ok=True)
        summary.save(self.finished, self.file)
        for file, figure in plots.items():
            figure.savefig(self.folder / "claims" / file, dpi=120)
        dataset = load_identity(self.context.tokens)["dataset"]
        write_json(self.folder / "claims.json", report.summary_values(findings, results, dataset, self.context))
        text = report.markdown(findings, results, self.selections(), self.claims, dataset, self.context, list(plots))
        with atomic_file(self.folder / "claims.md") as out:
            out.write(text)
        _print(findings, self.folder)


def _print(findings: Iterable[Finding], folder: Path) -> None:
    for finding in findings:
        print(f"{finding.verdict:>13}: {finding.claim.statement}")
    print(f"{folder}/claims.md has the effects and the plots")


def check_sizes(params: Params, train: int) -> None:
    """Check that a learning curve's sizes are below the number of training reviews.

    Raises:
        UserError: one is not.
    """
    if large := [size for size in params.claims.accuracy.learning_curve if size >= train]:
        raise UserError(
            f"params.yaml: claims.accuracy.learning_curve: train has {train:,} reviews: "
            f"name a smaller size than {large[0]:,}"
        )
