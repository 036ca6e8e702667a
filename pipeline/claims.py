"""`make claims`: run the trainings that the documents' claims need and that are not done yet, write reports/claims.md.

Not a stage: its trainings are remembered by MLflow, each by what it is made of, and it can be stopped at any time.
"""

import time
from pathlib import Path

import torch
from filelock import FileLock, Timeout
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.claims import plots, timing
from sentiment_rnn.claims.claims import CLAIMS, find
from sentiment_rnn.claims.experiment import Setting, done, end_killed
from sentiment_rnn.claims.plan import COMPARED, plan
from sentiment_rnn.claims.pool import run_all
from sentiment_rnn.claims.report import write
from sentiment_rnn.claims.results import Results
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.errors import UserError
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.params import Params, with_values
from sentiment_rnn.search.view import duration
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import machine, resolve_precision


def main() -> None:
    chosen = params.load()
    setting = Setting(chosen.trainer, Path("data/tokens"), Path("work/claims"))
    load_identity(setting.tokens)
    setting.work.mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(setting.work / "lock", timeout=0):
            _run_and_report(chosen, setting)
    except Timeout:
        raise UserError("another `make claims` runs in this folder: wait for it, or stop it") from None


def _run_and_report(chosen: Params, setting: Setting) -> None:
    client = connect()
    end_killed(client, setting)
    timed = {name: with_values(chosen.model_of(name), chosen.claims.model) for name in COMPARED}
    print("claims: timing a training step of each architecture", flush=True)
    timing_run = timing.measure(client, timed, setting)  # first and alone: beside others it would time them too
    experiments = plan(chosen)
    _run_missing(client, chosen, setting)
    results = Results(client, experiments, setting, timing_run)
    findings = [find(claim, results, chosen.claims) for claim in CLAIMS]
    for finding in findings:
        for run_id in finding.run_ids:
            client.set_tag(run_id, f"claim.{finding.claim.id}", "yes")
    identity = load_identity(setting.tokens)
    folder = Path("reports/claims")
    folder.mkdir(parents=True, exist_ok=True)
    train = read_json("reports/tokens.json")["train"]["reviews"]
    for file, figure in plots.draw(findings, results, chosen.claims, train).items():
        figure.savefig(folder / file, dpi=120)
    device = torch.device("cuda" if torch.cuda.is_available() and chosen.trainer.accelerator != "cpu" else "cpu")
    where = machine(device), resolve_precision(chosen.trainer)
    write_json(
        "reports/claims.json",
        {
            "dataset": identity["dataset"],
            "machine": where[0],
            "claims": {
                finding.claim.id: {
                    "says": finding.claim.says,
                    "verdict": finding.verdict,
                    "effects": {
                        effect.what: {"mean": effect.mean, "interval": effect.interval, "values": list(effect.values)}
                        for effect in finding.effects
                    },
                    "runs": finding.run_ids,
                }
                for finding in findings
            },
        },
    )
    Path("reports/claims.md").write_text(write(findings, results, chosen.claims, identity["dataset"], *where))
    for finding in findings:
        print(f"{finding.verdict:>13}: {finding.claim.says}")
    print("reports/claims.md has the figures and the pictures")


def _run_missing(client: MlflowClient, chosen: Params, setting: Setting) -> None:
    experiments = plan(chosen)
    finished = done(client, setting)
    missing = [experiment for experiment in experiments if experiment.key(setting) not in finished]
    count = len(experiments) - len(missing)
    print(f"claims: {count} of {len(experiments)} trainings done", flush=True)
    began = time.monotonic()
    try:
        for here, (experiment, run_id) in enumerate(run_all(missing, setting, chosen.claims.workers), 1):
            accuracy = client.get_run(run_id).data.metrics["test_accuracy"]
            left = duration((time.monotonic() - began) / here * (len(missing) - here))
            print(
                f"claims: {count + here}/{len(experiments)} {experiment.name}, seed {experiment.seed}: "
                f"test accuracy {accuracy:.4f}; about {left} left",
                flush=True,
            )
    except KeyboardInterrupt:
        print("\nclaims: stopped; the same command goes on from there", flush=True)
        raise


if __name__ == "__main__":
    main()
