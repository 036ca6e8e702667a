"""The stage train: MLflow run, model files, report, resuming, distillation, refit."""

import csv
from pathlib import Path

import numpy as np
import pytest
import torch
from conftest import shrunk_values
from killing import KilledError
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.evaluation.metrics import evaluate, probabilities
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference import logits, serialization
from sentiment_rnn.tracking.store import connect
from sentiment_rnn.training import distillation, pretrained
from sentiment_rnn.training.callbacks import History
from sentiment_rnn.training.train import Folders, train, train_seed

PARAMS = params.Params.model_validate(shrunk_values())
BILSTM = params.updated(PARAMS.model_of("bilstm"), {"word_vectors": False})


@pytest.fixture(scope="module", autouse=True)
def client(tmp_path_factory) -> MlflowClient:
    """A client of an empty store in a temporary folder; the module's tests run there."""
    folder = tmp_path_factory.mktemp("project")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("MLFLOW_TRACKING_URI", f"sqlite:///{folder}/mlruns/mlflow.db")
        yield connect()


def run(tokens: Path, work: str, **changes) -> dict:
    """Train bilstm with some parameters changed, from checkpoints in `work`, to the model folder of the same name."""
    model = params.updated(BILSTM, changes)
    folders = Folders(tokens=tokens)
    return train_seed("bilstm", model, PARAMS.trainer, 7, folders, Path(work), Path("models") / work)


def fail(tokens: Path, work: str, **changes) -> str:
    """A training that fails after its last epoch, because a file has the name of the model's folder; its run."""
    Path("models").mkdir(exist_ok=True)
    (Path("models") / work).write_text("")
    with pytest.raises(FileExistsError):
        run(tokens, work, **changes)
    (Path("models") / work).unlink()
    (file,) = Path(work).glob("seed-*/run.json")
    return read_json(file)["run_id"]


def weights(*path: str) -> dict[str, torch.Tensor]:
    return serialization.load(Path("models", *path)).model.state_dict()


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return all(torch.equal(values, second[name]) for name, values in first.items())


@pytest.fixture(scope="module")
def metrics(client, tokens) -> dict:
    return run(tokens, "whole", max_epochs=3)


def test_the_run_has_params_tags_metrics_and_the_model(client, metrics):
    found = client.get_run(metrics["run_id"])
    assert found.info.status == "FINISHED"
    assert found.info.run_name == "bilstm"
    expected = {"hidden_size": "6", "seed": "7", "accelerator": "cpu", "word_vectors_sha256": "None"}
    assert expected.items() <= found.data.params.items()
    expected = {"architecture": "bilstm", "dataset": "synthetic", "protocol": "holdout"}
    assert (expected | {"reproduce": "dvc repro train@bilstm"}).items() <= found.data.tags.items()
    assert found.inputs.dataset_inputs[0].dataset.name == "synthetic"
    assert len(client.get_metric_history(metrics["run_id"], "validation_loss")) == 3
    assert len(client.get_metric_history(metrics["run_id"], "epoch_seconds")) == 3
    assert found.data.metrics["best_validation_loss"] == metrics["validation_loss"]
    assert "learning_curves.png" in {file.path for file in client.list_artifacts(metrics["run_id"])}
    files = {"model/model.json", "model/model.safetensors"}
    assert {file.path for file in client.list_artifacts(metrics["run_id"], "model")} == files


def test_the_metrics_are_those_of_the_saved_model_on_validation(metrics, tokens):
    model, encoding, _ = serialization.load(Path("models/whole"))
    reviews = TokenizedReviews(tokens, ["validation"], encoding)
    expected = evaluate(probabilities(logits.predict_logits(model, reviews)), reviews.labels)
    assert metrics["validation_accuracy"] == expected["accuracy"]
    assert metrics["validation_loss"] == expected["log_loss"]
    history = read_json("models/whole/history.json")
    assert metrics["epochs"] == len(history) == 3
    assert metrics["validation_loss"] == pytest.approx(min(row["validation_loss"] for row in history), abs=0.005)
    assert metrics["train_seconds"] == pytest.approx(sum(row["epoch_seconds"] for row in history))
    assert metrics["mean_epoch_seconds"] == pytest.approx(sum(row["epoch_seconds"] for row in history[1:]) / 2)
    embedding, features, hidden = 300 * 8, 8, 6
    direction = 4 * (hidden * features + hidden * hidden + 2 * hidden)
    assert metrics["parameters"] == embedding + 2 * direction + 2 * hidden + 1


def test_the_stage_writes_report_and_learning_curves_of_all_seeds(client, tokens):
    """With keras_reference, whose eval split is test: the columns are the same as with holdout."""
    values = shrunk_values()
    values["models"]["bilstm_keras"] |= {"seeds": [1, 2]}
    write_json(Path("searches/bilstm_keras.json"), {"learning_rate": 0.02})
    Path("models/family/bilstm_keras/seed-3").mkdir(parents=True)
    folders = Folders(tokens=tokens)
    train("bilstm_keras", params.Params.model_validate(values), folders)
    report = read_json("reports/train/family/bilstm_keras.json")
    assert [seed["seed"] for seed in report["seeds"]] == [1, 2]
    with Path("reports/train/family/bilstm_keras.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [(row["seed"], row["epoch"]) for row in rows] == [("1", "1"), ("1", "2"), ("2", "1"), ("2", "2")]
    names = {"seed", "epoch", "train_loss", "train_accuracy", "eval_loss", "eval_accuracy"}
    assert set(rows[0]) == names | {"epoch_seconds", "tokens_per_second"}
    assert sorted(path.name for path in Path("models/family/bilstm_keras").iterdir()) == ["seed-1", "seed-2"]
    assert not Path("work/train/bilstm_keras").exists()
    for seed in report["seeds"]:
        assert "test_accuracy" in seed
        assert "validation_accuracy" not in seed
        found = client.get_run(seed["run_id"]).data
        assert found.params["learning_rate"] == "0.02"
        assert found.tags["protocol"] == "keras_reference"
        assert "Not comparable" in found.tags["mlflow.note.content"]


def test_a_failed_training_resumes_in_its_run(client, tokens):
    run_id = fail(tokens, "again")
    assert client.get_run(run_id).info.status == "FAILED"
    assert run(tokens, "again")["run_id"] == run_id
    assert client.get_run(run_id).info.status == "FINISHED"


def test_a_deleted_run_is_not_resumed(client, tokens):
    run_id = fail(tokens, "deleted")
    client.delete_run(run_id)
    assert run(tokens, "deleted")["run_id"] != run_id


def save_word_vectors(tokens: Path, seed: int) -> None:
    embedding = torch.randn(300, 8, generator=torch.Generator().manual_seed(seed))
    pretrained.save({pretrained.EMBEDDING: embedding}, {}, tokens, Path("data/word_vectors"))


def save_pseudo_labels(tokens: Path, highest: float) -> None:
    distillation.save(np.linspace(0.1, highest, 20), tokens, Path("data/pseudo_labels/bilstm"))


DISTILLED = {"teachers": ["nb_logistic"], "distillation_epochs": 3, "ema_decay": 0.9}


@pytest.mark.parametrize(
    ("save", "before", "after", "changes", "parameter"),
    [
        (None, None, {"learning_rate": 0.01}, {}, "learning_rate"),
        (save_word_vectors, 1, 2, {"word_vectors": True}, "word_vectors_sha256"),
        (save_pseudo_labels, 0.9, 0.8, DISTILLED, "pseudo_labels_sha256"),
    ],
    ids=["params", "word vectors", "pseudo-labels"],
)
def test_with_changed_inputs_a_killed_training_starts_again_in_a_new_run(
    client, tokens, save, before, after, changes, parameter
):
    work = f"changed {parameter}"
    if save:
        save(tokens, before)
    killed = fail(tokens, work, **changes)
    client.update_run(killed, status="RUNNING")  # as SIGKILL leaves it
    if save:
        save(tokens, after)
    else:
        changes = after
    new = run(tokens, work, **changes)["run_id"]
    assert new != killed
    assert client.get_run(killed).info.status == "KILLED"
    values = [client.get_run(run_id).data.params[parameter] for run_id in (killed, new)]
    assert values[0] != values[1]
    assert len(client.get_metric_history(new, "validation_loss")) == 2
    run(tokens, f"not killed {parameter}", **changes)
    assert equal(weights(work), weights(f"not killed {parameter}"))


@pytest.mark.parametrize(
    ("fit", "first_epochs"), [("distilled from nb_logistic", 2), ("bilstm: ", 1), ("refit with validation", 0)]
)
def test_a_training_killed_in_any_of_its_fits_resumes_there(tokens, fit, first_epochs, monkeypatch, capsys):
    save_pseudo_labels(tokens, 0.9)
    changes = {**DISTILLED, "refit": True}
    whole = run(tokens, f"whole {fit}", **changes)
    on_train_epoch_end = History.on_train_epoch_end

    def kill(self, trainer, module):
        on_train_epoch_end(self, trainer, module)
        # before the checkpoint of the second epoch is written
        if fit in f"{self.name}: " and trainer.current_epoch == 1:
            raise KilledError

    monkeypatch.setattr(History, "on_train_epoch_end", kill)
    with pytest.raises(KilledError):
        run(tokens, f"killed {fit}", **changes)
    monkeypatch.undo()
    capsys.readouterr()
    resumed = run(tokens, f"killed {fit}", **changes)
    assert capsys.readouterr().out.count("epoch 1/") == first_epochs
    for key in ("validation_loss", "distilled_validation_loss"):
        assert resumed[key] == whole[key]
    for folder in ("", "refit"):
        assert equal(weights(f"whole {fit}", folder), weights(f"killed {fit}", folder))


def test_a_refit_learns_train_and_validation_and_is_saved_beside_the_evaluated_model(tokens):
    evaluated = run(tokens, "evaluated")
    metrics = run(tokens, "refit", refit=True)
    assert metrics["validation_loss"] == evaluated["validation_loss"]
    assert equal(weights("refit"), weights("evaluated"))
    run(tokens, "both splits", protocol="keras_reference")  # learns the same reviews
    assert equal(weights("refit", "refit"), weights("both splits"))
    assert not equal(weights("refit", "refit"), weights("refit"))
    run(tokens, "refit")
    assert not Path("models/refit/refit").exists()
