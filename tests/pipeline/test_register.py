"""Register and evaluate on trained models: one seed's, several as one, a recipe's; loaded again as what they are."""

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import mlflow
import numpy as np
import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from pipeline import evaluate, recipe_named, register, train
from sentiment_rnn.data.store import load_split
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import registry
from sentiment_rnn.tracking.store import connect

SEEDS = [1, 2, 3]
NAME = "imdb-bilstm"


def write(average: bool) -> None:
    """params.yaml with three seeds of `bilstm`, and the recipe `best`, which is the same."""
    values = shrunk_values()
    values["models"]["bilstm"] |= {"seeds": SEEDS, "average": average, "max_epochs": 1}
    values["models"]["best"] = values["models"]["bilstm"] | {"teachers": []}
    write_params(values, Path())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, tokens: Path) -> Iterator[MlflowClient]:
    """A project with data and three trained seeds; the module's tests run in it."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(tokens.parent, folder / "data")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name in ("MLFLOW_TRACKING_URI", "MLFLOW_REGISTRY_URI"):  # MLflow itself sets both, for its children
            patch.setenv(name, f"sqlite:///{folder}/mlruns/mlflow.db")
        write(average=False)
        write_json("searches/bilstm.json", {})
        Path("reports/train").mkdir(parents=True)
        train.main("bilstm")
        shutil.copytree("models/bilstm", "best/models/best")
        Path("best/reports/train").mkdir(parents=True)
        shutil.copy("reports/train/bilstm.json", "best/reports/train/best.json")
        yield connect()
        mlflow.set_tracking_uri(None)
        mlflow.set_registry_uri(None)


def registered(average: bool, recipe: str | None = None) -> dict:
    write(average)
    register.main(recipe)
    return read_json(Path(recipe or "", "reports", "registered.json"))


def by_hand(seeds: list[int], temperature: float, texts: list[str]) -> np.ndarray:
    """Probabilities from each seed's own model: the mean logit, divided."""
    each = [Predictor(f"models/bilstm/seed-{seed}", "data/tokens/tokenizer.json").positive(texts) for seed in seeds]
    logits = np.mean([np.log(positive / (1 - positive)) for positive in each], axis=0)
    return 1 / (1 + np.exp(-logits / temperature))


@pytest.mark.parametrize("average", [False, True])
def test_what_is_registered_answers_raw_text_as_its_members_do(client, average):
    report = registered(average)
    trained = read_json("reports/train/bilstm.json")["seeds"]
    best = min(trained, key=lambda seed: seed["validation_loss"])
    assert report["seeds"] == (SEEDS if average else [best["seed"]])
    assert report["members"] == len(report["seeds"])
    assert report["parameters"] == best["parameters"] * report["members"]
    if not average:
        assert report["validation"]["before"]["log_loss"] == pytest.approx(best["validation_loss"], abs=1e-6)
        assert report["validation"]["accuracy"] == best["validation_accuracy"]
        assert report["run_id"] == best["run_id"]
    assert report["validation"]["after"]["log_loss"] <= report["validation"]["before"]["log_loss"]

    version = client.get_model_version(NAME, report["version"])
    assert version.run_id == report["run_id"]
    assert client.get_run(report["run_id"]).info.status == "FINISHED"
    assert version.tags["temperature"] == str(report["temperature"])
    assert version.tags["members"] == str(report["members"])
    assert float(version.tags["validation.ece"]) == pytest.approx(report["validation"]["after"]["ece"], abs=1e-6)
    assert "NOT IMDB" in version.description

    texts = load_split("data/raw", "test").texts
    said = [answer["probability"] for answer in registry.load(NAME, report["version"]).predict(texts)]
    assert np.allclose(said, by_hand(report["seeds"], report["temperature"], texts), rtol=0, atol=1e-6)


@pytest.mark.parametrize("average", [False, True])
def test_the_same_model_again_is_the_same_version_in_the_same_run(client, average):
    first = registered(average)
    count = len(client.search_model_versions(f"name = '{NAME}'"))
    runs = len(client.search_runs([client.get_experiment_by_name("sample").experiment_id]))
    assert registered(average) == first
    assert len(client.search_model_versions(f"name = '{NAME}'")) == count
    assert len(client.search_runs([client.get_experiment_by_name("sample").experiment_id])) == runs


def test_a_recipe_is_registered_and_evaluated_beside_the_pipelines_own(client, capsys):
    registered(average=False)
    evaluate.main()
    own = {path: path.read_bytes() for path in Path("reports").glob("*.json")}
    report = registered(average=True, recipe="best")
    assert (report["architecture"], report["seeds"], report["model"]) == ("best", SEEDS, NAME)
    capsys.readouterr()
    evaluate.main("best")
    printed = capsys.readouterr().out
    evaluation = read_json("best/reports/evaluation.json")
    assert (evaluation["architecture"], evaluation["version"]) == ("best", report["version"])
    test = load_split("data/raw", "test")
    positive = by_hand(SEEDS, report["temperature"], test.texts)
    assert evaluation["ece"] == pytest.approx(expected_calibration_error(positive, np.array(test.labels)), abs=1e-3)
    assert f"ECE {evaluation['ece']:.4f}" in printed
    tags = client.get_model_version(NAME, report["version"]).tags
    assert float(tags["test.ece"]) == pytest.approx(evaluation["ece"], abs=1e-6)
    champion = client.get_model_version_by_alias(NAME, "champion")
    assert (str(champion.version) == report["version"]) is evaluation["champion"]
    for name in ("roc", "confusion", "calibration"):
        assert (Path("best/reports/evaluation") / f"{name}.png").stat().st_size > 1000
    assert {path: path.read_bytes() for path in Path("reports").glob("*.json")} == own


@pytest.mark.parametrize(
    ("recipe", "said"),
    [
        ("nosuch", r"^no architecture nosuch in params.yaml; there are rnn, "),
        ("bilstm_keras", r"^bilstm_keras has protocol document: no validation"),
        ("gru", r"^reports/train/gru.json is not there"),
    ],
)
def test_what_cannot_be_registered_is_one_line_and_writes_nothing(client, recipe, said):
    write(average=False)
    with pytest.raises(UserError, match=said) as caught:
        register.main(recipe)
    assert "\n" not in str(caught.value)
    assert not Path(recipe).exists()


def test_a_stage_takes_one_recipe_or_none(monkeypatch):
    for arguments, recipe in ((["register.py"], None), (["register.py", "best"], "best")):
        monkeypatch.setattr(sys, "argv", arguments)
        assert recipe_named() == recipe
    monkeypatch.setattr(sys, "argv", ["pipeline/register.py", "best", "worst"])
    with pytest.raises(UserError, match=r"^best, or nothing .*: python -m pipeline\.register \[best\]$"):
        recipe_named()
