"""The stages register and evaluate on really trained models: one seed, an ensemble, distilled and refit models."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from conftest import NAME, running_in, shrunk_values, write_params
from mlflow import MlflowClient
from safetensors.numpy import load_file

from pipeline import baseline, baseline_predictions, evaluate, pseudo_label, register, train, word_vectors
from sentiment_rnn import params
from sentiment_rnn.data import predictions
from sentiment_rnn.data.corpus import Split
from sentiment_rnn.data.store import load_split
from sentiment_rnn.errors import UserError
from sentiment_rnn.evaluation.calibration import expected_calibration_error
from sentiment_rnn.evaluation.significance import mcnemar
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference.logits import baseline_logits, network_logits
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import promotion, registry
from sentiment_rnn.tracking.store import connect

SEEDS = [1, 2, 3]
RAW, TOKENS = Path("data/raw"), Path("data/tokens")


def choose(candidate: str, ensemble: bool = False) -> None:
    """Write params.yaml with a candidate, and three seeds of bilstm."""
    values = shrunk_values()
    values["registry"]["candidate"] = candidate
    values["registry"]["gate"]["max_latency_ms"] = 10_000  # of a busy machine
    values["models"]["bilstm"] |= {"seeds": SEEDS, "ensemble": ensemble, "max_epochs": 1}
    values["models"]["best"]["seeds"] = [1, 2]
    write_params(values, Path())


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory, tokens: Path, empty_store: Path) -> Iterator[MlflowClient]:
    """A project with baselines, three seeds of bilstm, two of student, and two of best; the tests run in it."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copytree(empty_store, folder / "mlruns")
    shutil.copytree(tokens.parent, folder / "data")
    with running_in(folder):
        choose("family/bilstm")
        write_json("searches/bilstm.json", {})
        word_vectors.main()
        for name in ("tfidf_logistic", "nb_logistic"):
            baseline.main(name)
            baseline_predictions.main(name)
        train.main("bilstm")
        for name in ("student", "best"):
            pseudo_label.main(name)
            train.main(name)
        yield connect()


def registered(candidate: str = "family/bilstm", ensemble: bool = False) -> dict:
    choose(candidate, ensemble)
    register.main()
    return read_json("reports/registered.json")


def evaluated() -> dict:
    evaluate.main()
    return read_json("reports/evaluation.json")


def mean_probabilities(seeds: list[int], temperature: float, texts: list[str]) -> np.ndarray:
    """Probabilities from the mean logit of the seeds' own models, divided by the temperature."""
    folder = Path("models/family/bilstm")
    each = [
        Predictor(folder / f"seed-{seed}", TOKENS / "tokenizer.json").predict_probabilities(texts) for seed in seeds
    ]
    logits = np.mean([np.log(positive / (1 - positive)) for positive in each], axis=0)
    return 1 / (1 + np.exp(-logits / temperature))


def test_pseudo_labels_are_the_mean_of_the_teachers_at_one_temperature(client):
    student = client.search_runs(
        [client.get_experiment_by_name("synthetic").experiment_id], "tags.architecture = 'student'"
    )
    assert len(student[0].data.params["pseudo_labels_sha256"]) == 64
    teacher = baseline_logits(Path("models/baselines/nb_logistic"), RAW, TOKENS, "unsupervised").logits
    seeds = [Path(f"models/distilled/student/seed-{seed}") for seed in params.load().model_of("student").seeds]
    assert len(seeds) == 2
    network = np.mean([network_logits(seed, TOKENS, "unsupervised").logits for seed in seeds], axis=0)
    positive = load_file("data/pseudo_labels/best/probabilities.safetensors")["positive"]
    ratio = np.log(positive / (1 - positive)) / ((teacher + network) / 2)
    assert np.allclose(ratio, ratio[0], rtol=1e-3)


@pytest.mark.parametrize("ensemble", [False, True])
def test_the_registered_version_predicts_as_its_members_do(client, ensemble):
    report = registered(ensemble=ensemble)
    trained = read_json("reports/train/family/bilstm.json")["seeds"]
    best = min(trained, key=lambda seed: seed["validation_loss"])
    assert (report["model"], report["architecture"]) == (NAME, "bilstm")
    assert report["seeds"] == (SEEDS if ensemble else [best["seed"]])
    assert report["members"] == len(report["seeds"])
    assert report["parameters"] == best["parameters"] * report["members"]
    if not ensemble:
        assert report["validation"]["before"]["log_loss"] == pytest.approx(best["validation_loss"], abs=1e-6)
        assert report["validation"]["accuracy"] == best["validation_accuracy"]
        assert report["run_id"] == best["run_id"]
    assert report["validation"]["after"]["log_loss"] <= report["validation"]["before"]["log_loss"]

    version = client.get_model_version(NAME, report["version"])
    assert version.run_id == report["run_id"]
    assert client.get_run(report["run_id"]).info.status == "FINISHED"
    assert version.tags["temperature"] == str(report["temperature"])
    assert version.tags["members"] == str(report["members"])
    assert len(version.tags["data.content_hash"]) == 64
    assert float(version.tags["validation.ece"]) == pytest.approx(report["validation"]["after"]["ece"], abs=1e-6)
    assert "NOT IMDB" in version.description

    texts = load_split("data/raw", "test").texts
    predicted = [row["probability"] for row in registry.load(NAME, report["version"]).predict(texts)]
    expected = mean_probabilities(report["seeds"], report["temperature"], texts)
    assert np.allclose(predicted, expected, rtol=0, atol=1e-6)

    def counts() -> tuple[int, int]:
        runs = client.search_runs([client.get_experiment_by_name("synthetic").experiment_id])
        return len(client.search_model_versions(f"name = '{NAME}'")), len(runs)

    before = counts()
    assert registered(ensemble=ensemble) == report, "the same model is the same version, in the same run"
    assert counts() == before


def test_a_first_version_is_evaluated_and_becomes_champion(client):
    assert registry.champion(client, NAME) is None
    report = registered()
    evaluation = evaluated()
    assert (evaluation["version"], evaluation["architecture"]) == (report["version"], "bilstm")
    assert (evaluation["champion"], evaluation["verdict"]) == (True, "there was no champion")
    assert evaluation["previous_champion"] is None
    assert list(evaluation["comparison"]) == ["tfidf_logistic", "nb_logistic"]
    assert evaluation["test_readings"] == 1
    assert "seed_accuracies" not in evaluation
    assert str(registry.require_champion(client, NAME).version) == report["version"]


def test_a_version_is_compared_with_the_champion_and_the_same_version_again_gives_the_same_report(client, capsys):
    first = str(registry.require_champion(client, NAME).version)
    report = registered(ensemble=True)
    capsys.readouterr()
    evaluation = evaluated()
    printed = capsys.readouterr().out

    test = load_split("data/raw", "test")
    labels = np.array(test.labels)
    positive = mean_probabilities(SEEDS, report["temperature"], test.texts)
    assert evaluation["ece"] == pytest.approx(expected_calibration_error(positive, labels), abs=1e-3)
    assert f"ECE {evaluation['ece']:.4f}" in printed
    tags = client.get_model_version(NAME, report["version"]).tags
    assert float(tags["test.ece"]) == pytest.approx(evaluation["ece"], abs=1e-6)
    for capability, rate in evaluation["behaviour_failure_rates"].items():
        assert float(tags[f"behaviour.{capability}"]) == pytest.approx(rate, abs=1e-4)
    assert f"fails {100 * evaluation['behaviour_failure_rates']['negation']:.1f}% of the negations" in printed
    assert evaluation["test_readings"] == 2
    assert len(evaluation["seed_accuracies"]) == len(SEEDS)

    previous = client.get_model_version(NAME, first)
    assert evaluation["previous_champion"] == f"bilstm, version {first}"
    assert list(evaluation["comparison"]) == ["previous_champion", "tfidf_logistic", "nb_logistic"]
    seeds = [int(previous.tags["seeds"])]
    correct = [(mean_probabilities(each, 1.0, test.texts) >= 0.5) == (labels == 1) for each in (SEEDS, seeds)]
    comparison = evaluation["comparison"]["previous_champion"]
    assert comparison["difference"] == pytest.approx(correct[0].mean() - correct[1].mean())
    assert comparison["p"] == mcnemar(*correct).p
    assert f"difference to bilstm, version {first}:" in printed
    assert (str(registry.require_champion(client, NAME).version) == report["version"]) is evaluation["champion"]

    logged = {file.path for file in client.list_artifacts(report["run_id"], "evaluation")}
    files = [
        "evaluation.html",
        "roc.png",
        "roc.csv",
        "evaluation.json",
        f"predictions-version-{report['version']}.parquet",
    ]
    assert {f"evaluation/{name}" for name in files} <= logged

    if not evaluation["champion"]:  # the champion itself is compared with the one that it replaced
        promotion.promote_by_hand(client, NAME, report["version"], "test")
        assert evaluated()["champion"]
        evaluation = read_json("reports/evaluation.json")
    again = evaluated()
    assert again | {"latency_ms": 0} == evaluation | {"latency_ms": 0}


def test_a_version_whose_files_are_gone_is_logged_anew_and_gives_way(client, capsys):
    lost = registry.require_champion(client, NAME)
    version = registered(ensemble=lost.tags["members"] != "1")["version"]
    assert version == str(lost.version), "the same model"
    shutil.rmtree(f"mlruns/artifacts/synthetic/models/{lost.source.removeprefix('models:/')}")
    report = registered(ensemble=lost.tags["members"] != "1")
    assert report["version"] not in (version, None)
    capsys.readouterr()
    evaluation = evaluated()
    assert f"{NAME} version {version} cannot be loaded: " in capsys.readouterr().out
    assert (evaluation["champion"], evaluation["verdict"]) == (True, "the champion cannot be loaded")
    assert str(registry.require_champion(client, NAME).version) == report["version"]


def test_distilled_and_refit_models_are_registered_and_each_member_is_evaluated(client):
    report = registered("distilled/best")
    assert (report["architecture"], report["members"], report["seeds"], report["refit"]) == ("best", 2, [1, 2], True)
    evaluation = evaluated()
    assert evaluation["version"] == report["version"]
    member = network_logits(Path("models/distilled/best/seed-2/refit"), TOKENS, "test")
    assert evaluation["seed_accuracies"][1] == np.mean((member.logits >= 0) == (member.labels > 0))
    assert len(evaluation["seed_accuracies"]) == 2


def test_baseline_predictions_that_are_missing_or_of_other_reviews_are_refused_and_nothing_is_written(client):
    registered()
    before = {path: path.read_bytes() for path in Path("reports").rglob("*.*")}
    path, test = Path("data/predictions/nb_logistic.parquet"), load_split("data/raw", "test")
    original = path.read_bytes()
    for other in (None, Split(test.texts[1:], test.labels[1:])):
        path.unlink(missing_ok=True)
        if other:
            predictions.save(np.full(len(other.texts), 0.5), other, path)
        with pytest.raises(
            UserError, match=r"^data/predictions/nb_logistic.parquet is missing, .*`dvc repro baseline_pr"
        ):
            evaluate.main()
    path.write_bytes(original)
    assert {path: path.read_bytes() for path in Path("reports").rglob("*.*")} == before


def test_a_candidate_that_is_not_trained_is_refused(client):
    before = Path("reports/registered.json").read_bytes()
    choose("family/gru")
    with pytest.raises(UserError, match=r"^reports/train/family/gru.json is ") as caught:
        register.main()
    assert "\n" not in str(caught.value)
    assert Path("reports/registered.json").read_bytes() == before
    assert params.load().registered_name == NAME
