"""Experiments side by side: what a worker sees of the devices, and what happens when one dies."""

import json
import os
import signal
from pathlib import Path

import pytest
import torch
from conftest import shrunk_values
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.errors import UserError
from sentiment_rnn.studies import runner
from sentiment_rnn.studies.experiment import KEY, CachedExperiment, Context
from sentiment_rnn.studies.runner import run_missing
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training.devices import gpus, machine, resolve_devices

PARAMS = params.Params.model_validate(shrunk_values())


class Deadly(CachedExperiment):
    """Kills its process so many times before it finishes.

    Attributes:
        deaths: their number.
        error: is raised after them, if there is one.
    """

    deaths: int = 0
    error: str = ""

    def run(self, context: Context) -> str:
        client = connect()
        run_id = self.start(client, context)
        attempts = context.work / f"{self.name}-{self.seed}"
        with attempts.open("a") as file:
            print(os.getpid(), file=file)
        if len(attempts.read_text().split()) <= self.deaths:
            os.kill(os.getpid(), signal.SIGKILL)
        if self.error == "Ctrl-C":
            raise KeyboardInterrupt
        if self.error:
            raise UserError(self.error)
        client.log_metric(run_id, "test_accuracy", 0.5)
        client.set_tag(run_id, KEY, self.key(context))
        client.set_terminated(run_id)
        return run_id


class Devices(Deadly):
    """Notes what its process resolves, on a machine whose GPUs are those that CUDA_VISIBLE_DEVICES names."""

    def run(self, context: Context) -> str:
        visible = os.environ["CUDA_VISIBLE_DEVICES"].split(",")
        torch.cuda.device_count = lambda: len(visible)
        torch.cuda.get_device_name = lambda *_: "a GPU"
        devices = resolve_devices(context.trainer, self.model.batch_size)
        slurm = [name for name in os.environ if name.startswith("SLURM")]
        found = [gpus(context.trainer), devices, machine(context.trainer), slurm]
        (context.work / "found").write_text(json.dumps(found))
        return super().run(context)


@pytest.fixture
def context(client: MlflowClient, tokens: Path, tmp_path: Path) -> Context:
    (tmp_path / "work").mkdir()
    return Context(PARAMS.trainer, tokens, tmp_path / "work", "claims")


def deadly(name: str, **changes: object) -> Deadly:
    return Deadly(name=name, model=PARAMS.model_of(name), seed=1, **changes)


def statuses(client: MlflowClient, context: Context) -> list[str]:
    runs = client.search_runs([context.experiment_id(client)])
    return sorted(f"{run.data.tags['experiment']} {run.info.status}" for run in runs)


def test_the_experiment_of_a_dead_worker_is_run_again(
    client: MlflowClient, context: Context, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run_missing(client, [deadly("lstm", deaths=1), deadly("gru")], context, workers=2)
    output = capsys.readouterr().out
    assert "claims: 0 of 2 trainings finished" in output
    assert "claims: 2/2" in output
    assert statuses(client, context) == ["gru FINISHED", "lstm FINISHED", "lstm KILLED"]
    assert len(set((context.work / "lstm-1").read_text().split())) == 2, "each attempt has a process of its own"

    monkeypatch.setattr(runner, "MAX_ATTEMPTS", 1)
    with pytest.raises(UserError, match=r"rnn, seed 1: its process died; .*worker-\d\.log\. It did so 1 times"):
        run_missing(client, [deadly("rnn", deaths=1), deadly("rnn", deaths=2)], context, workers=2)
    assert not [status for status in statuses(client, context) if "RUNNING" in status]


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        ("data/tokens is missing", UserError, "^lstm, seed 1: data/tokens is missing$"),
        ("Ctrl-C", KeyboardInterrupt, None),
    ],
)
def test_an_error_and_ctrl_c_leave_no_run_open(
    client: MlflowClient, context: Context, capsys, error: str, kind: type[BaseException], message: str | None | None
) -> None:
    with pytest.raises(kind, match=message):
        run_missing(client, [deadly("gru"), deadly("lstm", error=error), deadly("rnn")], context, workers=1)
    assert ("claims: stopped; the same command resumes" in capsys.readouterr().out) == (error == "Ctrl-C")
    assert statuses(client, context) == ["gru FINISHED", "lstm KILLED"]
    run_missing(client, [deadly("gru"), deadly("lstm"), deadly("rnn")], context, workers=1)
    assert statuses(client, context) == ["gru FINISHED", "lstm FINISHED", "lstm KILLED", "rnn FINISHED"]


def test_a_worker_has_its_gpu_as_its_only_device(
    client: MlflowClient, context: Context, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`trainer.devices: [2]` of three GPUs: in the worker that GPU has the index 0."""
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 3)
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setenv("SLURM_NTASKS", "4")
    trainer = PARAMS.trainer.model_copy(update={"accelerator": "gpu", "devices": [2], "precision": "32-true"})
    experiment = Devices(name="lstm", model=PARAMS.model_of("lstm"), seed=1)
    run_missing(client, [experiment], context._replace(trainer=trainer), "auto")
    assert json.loads((context.work / "found").read_text()) == [["2"], 1, "a GPU", []]
