"""One training: one MLflow run with all that belongs to it, the model as files, and a run taken up again."""

from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import shrunk_values
from killing import KilledError
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json
from sentiment_rnn.inference import logits, serialization
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training import distillation
from sentiment_rnn.training.callbacks import History
from sentiment_rnn.training.train import train

PARAMS = params.Params.model_validate(shrunk_values())
BILSTM = PARAMS.model_of("bilstm")


@pytest.fixture(scope="module", autouse=True)
def client(tmp_path_factory) -> MlflowClient:
    """An empty project with its store; the module's tests run in it."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        yield connect()


def run(tokens: Path, work: str, name: str = "bilstm", **changes) -> dict:
    model = params.updated(PARAMS.model_of(name), changes)
    folders = {
        "tokens": tokens,
        "pretrained": Path("data/pretrained"),
        "taught": Path("data/taught"),
        "work": Path(work),
        "out": Path("models") / work,
    }
    report = train(name, model, PARAMS.trainer, 7, **folders, stage="train@test")
    assert report is not None
    return report


@pytest.fixture(scope="module")
def report(client, tokens) -> dict:
    return run(tokens, "whole", max_epochs=3)


def cut_off(tokens: Path, work: str, **changes) -> None:
    """A training that fails after its last epoch: a file stands where the model's folder should be."""
    Path("models").mkdir(exist_ok=True)
    (Path("models") / work).write_text("in the way")
    with pytest.raises(FileExistsError):
        run(tokens, work, **changes)
    (Path("models") / work).unlink()


def noted(work: str) -> str:
    (note,) = Path(work).glob("seed-*/run.json")
    return read_json(note)["run_id"]


def test_the_run_is_finished_and_shows_all_that_was_done(client, report):
    found = client.get_run(report["run_id"])
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "bilstm"
    assert found.data.params["hidden_size"] == "6"
    assert found.data.params["seed"] == "7"
    assert found.data.params["accelerator"] == "cpu"
    assert found.data.tags["architecture"] == "bilstm"
    assert found.data.tags["dataset"] == "sample"
    assert found.data.tags["protocol"] == "holdout"
    assert found.inputs.dataset_inputs[0].dataset.name == "sample"
    assert len(client.get_metric_history(report["run_id"], "validation_loss")) == 3
    assert len(client.get_metric_history(report["run_id"], "epoch_seconds")) == 3
    assert found.data.metrics["best_validation_loss"] == report["validation_loss"]
    assert "learning_curves.png" in {file.path for file in client.list_artifacts(report["run_id"])}
    assert {file.path for file in client.list_artifacts(report["run_id"], "model")} == {
        "model/model.json",
        "model/model.safetensors",
    }


def test_the_report_is_what_the_written_model_does_on_validation(report, tokens):
    model, encoding, _ = serialization.load("models/whole")
    reviews = TokenizedReviews(tokens, ["validation"], encoding)
    metrics = evaluate(probabilities(logits.predict_logits(model, reviews)), reviews.labels)
    assert report["validation_accuracy"] == metrics["accuracy"]
    assert report["validation_loss"] == metrics["log_loss"]
    history = read_json("models/whole/history.json")
    assert report["epochs"] == len(history) == 3
    assert report["validation_loss"] == pytest.approx(min(row["validation_loss"] for row in history), abs=0.005)
    assert report["train_seconds"] == pytest.approx(sum(row["epoch_seconds"] for row in history))
    assert report["mean_epoch_seconds"] == pytest.approx(sum(row["epoch_seconds"] for row in history[1:]) / 2)


def test_parameters_are_counted(report):
    embedding, features, hidden = 300 * 8, 8, 6
    direction = 4 * (hidden * features + hidden * hidden + 2 * hidden)
    assert report["parameters"] == embedding + 2 * direction + 2 * hidden + 1


def test_the_documents_protocol_is_scored_on_test_and_labelled_so(client, tokens):
    report = run(tokens, "keras", "bilstm_keras")
    assert "test_accuracy" in report
    assert "validation_accuracy" not in report
    tags = client.get_run(report["run_id"]).data.tags
    assert tags["protocol"] == "document"
    assert "Not comparable" in tags["mlflow.note.content"]


def test_a_failed_training_is_taken_up_in_the_same_run(client, tokens):
    cut_off(tokens, "again")
    run_id = noted("again")
    assert client.get_run(run_id).info.status == "FAILED"
    assert run(tokens, "again")["run_id"] == run_id
    assert client.get_run(run_id).info.status == "FINISHED"


def test_other_params_are_another_run_and_the_old_one_does_not_stay_running(client, tokens):
    cut_off(tokens, "changed")
    old = noted("changed")
    client.update_run(old, status="RUNNING")  # as SIGKILL leaves it
    new = run(tokens, "changed", learning_rate=0.01)["run_id"]
    assert new != old
    assert client.get_run(new).data.params["learning_rate"] == "0.01"
    assert len(client.get_metric_history(new, "validation_loss")) == 2, "it began anew"
    assert client.get_run(old).info.status == "KILLED"


def test_a_run_that_was_deleted_is_not_taken_up(client, tokens):
    cut_off(tokens, "deleted")
    old = noted("deleted")
    client.delete_run(old)
    assert run(tokens, "deleted")["run_id"] != old


def learn(tokens: Path, seed: int) -> None:
    """Weights to start from, as the pretrain stage leaves them."""
    embedding = torch.randn(300, 8, generator=torch.Generator().manual_seed(seed))
    weights.save({weights.EMBEDDING: embedding}, {"kind": "vectors"}, tokens, Path("data/pretrained"))


def test_a_training_goes_on_from_a_checkpoint_of_the_same_pretrained_weights_alone(client, tokens):
    learn(tokens, 1)
    cut_off(tokens, "learned", pretrained=True)
    first = noted("learned")
    assert run(tokens, "learned", pretrained=True)["run_id"] == first

    cut_off(tokens, "learned again", pretrained=True)
    killed = noted("learned again")
    client.update_run(killed, status="RUNNING")  # as SIGKILL leaves it
    learn(tokens, 2)
    again = run(tokens, "learned again", pretrained=True)["run_id"]
    assert client.get_run(killed).info.status == "KILLED"
    assert len(client.get_metric_history(again, "validation_loss")) == 2, "it began anew"
    digests = [client.get_run(run_id).data.params["pretrained_weights"] for run_id in (killed, again)]
    assert digests[0] != digests[1]
    mixed, whole = (serialization.load(f"models/{name}").model for name in ("learned again", "learned"))
    assert not torch.equal(mixed.embedding.weight, whole.embedding.weight)
    run(tokens, "never killed", pretrained=True)
    whole = serialization.load("models/never killed").model
    assert all(torch.equal(mixed.state_dict()[name], values) for name, values in whole.state_dict().items())


TAUGHT = {"teachers": ["nb_logistic"], "distillation_epochs": 3, "ema": 0.9}


def teach(tokens: Path, most: float) -> None:
    """What teachers say, as the teach stage leaves it."""
    distillation.save(np.linspace(0.1, most, 20), tokens, Path("data/taught"))


@pytest.mark.parametrize(
    ("stage", "first_epochs"), [("taught by nb_logistic", 2), ("bilstm: ", 1), ("with validation", 0)]
)
def test_a_training_with_teachers_goes_on_where_it_was_killed(tokens, stage, first_epochs, monkeypatch, capsys):
    """In what the teachers said, in the labels after it, in the refit: only what had not begun has a first epoch."""
    teach(tokens, 0.9)
    changes = {**TAUGHT, "refit": True}
    whole = run(tokens, f"taught, whole {stage}", **changes)
    told = History.on_train_epoch_end

    def killed(self, trainer, module):
        told(self, trainer, module)
        # before the epoch's checkpoint is written: the second epoch is lost
        if stage in f"{self.name}: " and trainer.current_epoch == 1:
            raise KilledError

    monkeypatch.setattr(History, "on_train_epoch_end", killed)
    with pytest.raises(KilledError):
        run(tokens, f"taught, cut {stage}", **changes)
    monkeypatch.undo()
    capsys.readouterr()
    resumed = run(tokens, f"taught, cut {stage}", **changes)
    assert capsys.readouterr().out.count("epoch 1/") == first_epochs
    for key in ("validation_loss", "taught_validation_loss"):
        assert resumed[key] == whole[key]
    for folder in ("", "refit"):
        models = [
            serialization.load(Path(f"models/taught, {how} {stage}", folder)).model.state_dict()
            for how in ("whole", "cut")
        ]
        assert all(torch.equal(values, models[1][name]) for name, values in models[0].items())


def test_a_refit_learns_train_and_validation_and_stands_beside_the_model_that_was_judged(tokens):
    judged = run(tokens, "judged")
    report = run(tokens, "refit", refit=True)
    assert report["validation_loss"] == judged["validation_loss"]
    assert serialization.final(Path("models/judged")) == Path("models/judged")
    refit = serialization.load(serialization.final(Path("models/refit"))).model.state_dict()
    run(tokens, "both splits", protocol="document")  # learns the same reviews
    both, alone = (serialization.load(Path("models", name)).model.state_dict() for name in ("both splits", "refit"))
    assert all(torch.equal(values, both[name]) for name, values in refit.items())
    assert not all(torch.equal(values, alone[name]) for name, values in refit.items())
    run(tokens, "refit")
    assert not Path("models/refit/refit").exists(), "it would be another training's"


def test_what_other_teachers_say_is_another_run(client, tokens):
    teach(tokens, 0.9)
    cut_off(tokens, "other teachers", **TAUGHT)
    killed = noted("other teachers")
    teach(tokens, 0.8)
    again = run(tokens, "other teachers", **TAUGHT)["run_id"]
    assert again != killed
    said = [client.get_run(run_id).data.params["teachers_said"] for run_id in (killed, again)]
    assert said[0] != said[1]
