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

from pipeline import evaluate, linear, predict, recipe_named, register, train
from sentiment_rnn.data import predictions
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.data.store import load_split
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.significance import mcnemar
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
    values["linear"]["baselines"] = ["nb_logistic"]
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
        linear.main("nb_logistic")
        predict.main("nb_logistic")
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
    each = [Predictor(f"models/bilstm/seed-{seed}", "data/tokens/tokenizer.json").predict_probabilities(texts) for seed in seeds]
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
    first = registered(average=False)
    evaluate.main()
    assert read_json("reports/evaluation.json")["previous_champion"] is None
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
    page = (Path("best/reports/evaluation") / "index.html").read_text()
    assert "NOT IMDB" in page.upper()
    logged = {file.path for file in client.list_artifacts(report["run_id"], "evaluation")}
    assert {f"evaluation/{name}" for name in ("index.html", "roc.png", "roc.csv", "evaluation.json")} <= logged
    assert f"evaluation/predictions-version-{report['version']}.parquet" in logged

    previous = f"bilstm, version {first['version']}"
    assert evaluation["previous_champion"] == previous
    assert list(evaluation["against"]) == ["previous_champion", "nb_logistic"]
    labels = np.array(test.labels) == 1
    mine, theirs = ((by_hand(seeds, 1.0, test.texts) >= 0.5) == labels for seeds in (SEEDS, first["seeds"]))
    against = evaluation["against"]["previous_champion"]
    assert against["difference"] == pytest.approx(mine.mean() - theirs.mean())
    assert against["p"] == mcnemar(mine, theirs).p
    assert f"against {previous}:" in printed
    assert {path: path.read_bytes() for path in Path("reports").glob("*.json")} == own


def test_a_rivals_predictions_that_are_missing_or_of_other_reviews_are_one_line(client):
    registered(average=False)
    before = {path: path.read_bytes() for path in Path("reports").rglob("*.*")}
    path, test = Path("data/predicted/nb_logistic.parquet"), load_split("data/raw", "test")
    whole = path.read_bytes()
    for other in (None, Split(test.texts[1:], test.labels[1:])):
        path.unlink(missing_ok=True)
        if other:
            predictions.save(np.full(len(other.texts), 0.5), other, path)
        with pytest.raises(UserError, match=r"^data/predicted/nb_logistic.parquet is not .*`dvc repro predict@nb_log"):
            evaluate.main()
    path.write_bytes(whole)
    assert {path: path.read_bytes() for path in Path("reports").rglob("*.*")} == before


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
