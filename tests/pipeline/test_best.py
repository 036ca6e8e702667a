"""The pipeline of `best`: pre-trained, taught, trained, averaged, beside the main one and without touching it."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from conftest import ROOT, shrunk_values, write_params
from mlflow import MlflowClient
from ruamel.yaml import YAML
from safetensors.numpy import load_file as load_rows
from safetensors.torch import load_file
from sentiment_rnn.pretraining import learn

from pipeline import evaluate, forecast, linear, predict, pretrain, register, teach, train
from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.tokenized import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.inference import logits
from sentiment_rnn.progress import duration


@pytest.fixture
def best(client: MlflowClient, tokens: Path, tmp_path: Path) -> Path:
    """A project with an empty store whose tokenize stage is done, and where nobody teaches; the test runs in it."""
    values = shrunk_values()
    values["models"]["best"] |= {"teachers": [], "seeds": [7], "average": False}
    write_params(values, tmp_path)
    (tmp_path / "data").mkdir()
    for folder in ("raw", "tokens"):
        (tmp_path / "data" / folder).symlink_to(tokens.parent / folder)
    return tmp_path


def change(folder: Path, section: str, **values) -> None:
    changed = YAML(typ="safe").load((folder / "params.yaml").read_text())
    changed[section] |= values
    write_params(changed, folder)


def read(path: str) -> dict:
    return json.loads(Path(path).read_text())


def runs_of(client: MlflowClient, experiment: str):
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def test_vectors_are_learned_and_the_training_starts_from_them(best, client):
    pretrain.main("best")
    report = read("best/reports/pretrain/best.json")
    assert report["kind"] == "vectors"
    assert report["words"] > 100
    assert [row["epoch"] for row in report["history"]] == [1, 2]
    assert report["seconds"] >= sum(row["epoch_seconds"] for row in report["history"])
    assert load_file("data/pretrained/best/weights.safetensors")["embedding.weight"].shape == (500, 8)
    assert read("data/pretrained/best/weights.json")["kind"] == "vectors"
    (run,) = runs_of(client, "sample-pretrain")
    assert run.info.run_id == report["run_id"]
    assert run.info.status == "FINISHED"
    assert run.data.tags["architecture"] == "best"
    assert run.data.tags["dataset"] == "sample"
    assert run.data.params["window"] == "5"
    assert len(client.get_metric_history(run.info.run_id, "epoch_seconds")) == 2
    assert {file.path for file in client.list_artifacts(run.info.run_id, "weights")} == {
        "weights/weights.json",
        "weights/weights.safetensors",
    }

    train.main("best")
    (run,) = runs_of(client, "sample")
    assert len(run.data.params["pretrained_weights"]) == 64
    assert run.data.tags["reproduce"] == "dvc repro best/dvc.yaml:train-best"
    assert read("best/reports/train/best.json")["seeds"][0]["run_id"] == run.info.run_id
    assert Path("best/reports/train/best.csv").is_file()
    assert Path("best/models/best/seed-7/model.safetensors").is_file()
    assert not Path("models").exists(), "compare and register depend on it"
    assert not Path("reports/train").exists(), "compare and register depend on it"


def test_a_pre_training_that_was_killed_begins_again_and_its_run_does_not_stay_running(best, client, monkeypatch):
    class KilledError(BaseException):
        pass

    def kill(*_, **__):
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(learn.vectors, "learn", kill)
        with pytest.raises(KilledError):
            pretrain.main("best")
    assert not Path("data/pretrained").exists()
    (killed,) = runs_of(client, "sample-pretrain")
    client.update_run(killed.info.run_id, status="RUNNING")  # as SIGKILL leaves it
    pretrain.main("best")
    assert client.get_run(killed.info.run_id).info.status == "KILLED"
    assert read("best/reports/pretrain/best.json")["run_id"] != killed.info.run_id
    assert not Path("work/pretrain/best").exists()


def test_a_language_model_is_learned_whatever_the_dropout(best, client):
    change(best, "pretrain", kind="lm")
    pretrain.main("best")
    report = read("best/reports/pretrain/best.json")
    assert report["history"][0]["language_loss"] > 0
    learned = load_file("data/pretrained/best/weights.safetensors")
    assert {name.split(".")[0] for name in learned} == {"embedding", "encoder"}
    (run,) = runs_of(client, "sample-pretrain")
    assert run.info.status == "FINISHED"
    assert run.data.params["reviews"] == "20"
    assert client.get_metric_history(run.info.run_id, "language_loss")
    change(best, "model", dropout=0.1)
    pretrain.main("best")
    again = load_file("data/pretrained/best/weights.safetensors")
    assert all((again[name] == learned[name]).all() for name in learned)
    train.main("best")


def test_nothing_learned_is_the_model_as_it_is_drawn(best):
    change(best, "pretrain", kind="none")
    pretrain.main("best")
    train.main("best")
    started = load_file("best/models/best/seed-7/model.safetensors")
    values = YAML(typ="safe").load(Path("params.yaml").read_text())
    values["models"]["best"]["pretrained"] = False
    write_params(values, best)
    train.main("best")
    drawn = load_file("best/models/best/seed-7/model.safetensors")
    assert all((started[name] == drawn[name]).all() for name in drawn)


def test_the_pupil_learns_from_the_rival_and_the_best_from_both(best, client):
    values = shrunk_values()
    values["models"]["best"]["seeds"] = [1, 2]
    values["linear"]["baselines"] = ["nb_logistic"]
    write_params(values, best)
    linear.main("nb_logistic")
    predict.main("nb_logistic")
    pretrain.main("best")
    teach.main("pupil")
    train.main("pupil")
    (pupil,) = runs_of(client, "sample")[:1]
    assert len(pupil.data.params["teachers_said"]) == 64
    assert {"taught_validation_loss", "taught_validation_accuracy", "taught_seconds"} <= pupil.data.metrics.keys()
    teach.main("best")

    baseline, network = (teach.scored(name, params.load(), "unsupervised").logits for name in ("nb_logistic", "pupil"))
    said = load_rows("data/taught/best/probabilities.safetensors")["positive"]
    ratio = np.log(said / (1 - said)) / ((baseline + network) / 2)
    assert np.allclose(ratio, ratio[0], rtol=1e-3), "the mean of both, at one temperature"

    train.main("best")
    register.main("best")
    evaluate.main("best")
    registered, evaluated = read("best/reports/registered.json"), read("best/reports/evaluation.json")
    assert (registered["architecture"], registered["members"], registered["seeds"]) == ("best", 2, [1, 2])
    assert evaluated["version"] == registered["version"]
    assert 0 <= evaluated["ece"] <= 1
    assert registered["refit"]
    alone = logits.network_logits(Path("best/models/best/seed-2/refit"), Path("data/tokens"), "test")
    assert evaluated["accuracy_of_each_seed"][1] == np.mean((alone.logits >= 0) == (alone.labels > 0))
    assert len(evaluated["accuracy_of_each_seed"]) == 2
    assert not Path("reports/registered.json").exists(), "that is the main pipeline's"


@pytest.mark.parametrize("kind", ["vectors", "lm", "none"])
def test_how_long_it_will_take_is_said_beforehand(best, kind, capsys):
    write_params(shrunk_values(), best)
    change(best, "pretrain", kind=kind)
    forecast.main()
    said = capsys.readouterr().out.splitlines()
    parts = {line.split(":")[0].strip(): line.split(": ")[1] for line in said if line.startswith("  ")}
    pretraining = [] if kind == "none" else [f"pre-training ({kind})"]
    assert list(parts) == [*pretraining, "pupil's teachers", "pupil", "best's teachers", "best, 3 seeds", "evaluation"]
    assert said[-1].startswith("`make best` will take about")
    assert sorted(path.name for path in Path().iterdir()) == ["data", "mlruns", "params.yaml"]


def test_the_forecast_is_the_tokens_there_are_at_the_speed_that_was_seen(best, capsys, monkeypatch, tokens):
    values = shrunk_values()
    values["models"]["pupil"] |= {"distillation_epochs": 3, "max_epochs": 2}
    values["models"]["best"] |= {"teachers": ["nb_logistic", "pupil"], "distillation_epochs": 1, "max_epochs": 1}
    values["pretrain"]["kind"] = "none"
    write_params(values, best)
    model = params.load().model_of("pupil")
    reviews = {
        split: TokenizedReviews(tokens, [split], Encoding(**model.encoding())).lengths
        for split in ("train", "validation", "test", "unsupervised")
    }
    read = {split: sum(min(length, model.max_length) for length in lengths) for split, lengths in reviews.items()}
    asked = read["validation"] + read["unsupervised"]
    counted = 0.1 * (len(reviews["validation"]) + len(reviews["unsupervised"]))
    monkeypatch.setattr(forecast, "pace", lambda *_: forecast.Pace(learning=0.003, asking=0.002))
    monkeypatch.setattr(forecast, "counting", lambda max_ngram: 0.1)
    forecast.main()
    said = capsys.readouterr().out.splitlines()
    learned = read["unsupervised"] + read["train"] + (read["train"] + read["validation"])  # a refit comes last
    expected = {
        "pupil's teachers": counted,
        "pupil": 0.003 * (3 * read["unsupervised"] + 2 * read["train"]) + 0.002 * 5 * read["validation"],
        "best's teachers": counted + 0.002 * asked,
        "best, 3 seeds": 3 * (0.003 * learned + 0.002 * 3 * read["validation"]),
        "evaluation": 3 * 0.002 * (read["validation"] + 2 * read["test"]),
    }
    assert said[1:-1] == [f"  {part}: {duration(seconds)}" for part, seconds in expected.items()]
    assert said[-1] == f"`make best` will take about {duration(sum(expected.values()))}, less what is done already"


def test_what_is_pre_trained_for_the_best_serves_the_pupil_and_no_other(best):
    with pytest.raises(UserError, match=r"pupil starts from what best does: python -m pipeline\.pretrain best"):
        pretrain.main("pupil")


def test_the_pupil_alone_says_what_it_lacks(best):
    pretrain.main("best")
    with pytest.raises(UserError, match=r"data/taught/pupil is not there, and the model has teachers: run `dvc repro"):
        train.main("pupil")
    with pytest.raises(UserError, match=r"models\.best\.teachers: names none"):
        teach.main("best")


def test_a_model_that_would_not_start_from_it_is_not_pretrained(best):
    with pytest.raises(UserError, match=r"models\.bilstm\.pretrained: nothing would start from this"):
        pretrain.main("bilstm")


def test_the_training_alone_says_what_it_lacks(best):
    with pytest.raises(UserError, match=r"data/pretrained/best is not there.*best/dvc\.yaml:pretrain"):
        train.main("best")
    assert not Path("best/models").exists()


def test_search_and_train_do_not_load_what_learns_the_vectors():
    code = "import sys, pipeline.search, pipeline.train, pipeline.claims; assert 'gensim' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)


def test_each_value_that_dvc_follows_is_where_it_looks():
    values = YAML(typ="safe").load((ROOT / "params.yaml").read_text())
    stages = YAML(typ="safe").load((ROOT / "best/dvc.yaml").read_text())["stages"]
    for stage in stages.values():
        for key in stage.get("params", []):
            section = values
            for name in key.split("."):
                section = section[name]
    followed = {key.removeprefix("model.") for key in stages["pretrain"]["params"] if key.startswith("model.")}
    assert not followed & set(values["models"]["best"]), "models.best has a value that is followed in `model`"
