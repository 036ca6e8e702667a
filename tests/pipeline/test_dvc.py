"""One real `dvc repro` on the sample, from raw reviews to the champion, and what a second one does."""

import json
import sys
from pathlib import Path

import pytest
from conftest import shrunk_values, write_params
from mlflow import MlflowClient
from mlflow.entities import Run
from project import ARCHITECTURES, BASELINES, run
from ruamel.yaml import YAML

INDEPENDENT = """
import sys, mlflow, pyarrow.parquet as parquet
mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")
model = mlflow.pyfunc.load_model("models:/imdb-bilstm@champion")
test = parquet.read_table("data/raw/test.parquet").to_pydict()
said = model.predict(test["texts"])
print(sum((answer["label"] == "positive") == label for answer, label in zip(said, test["labels"])), len(said))
"""


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def client(reproduced: Path) -> MlflowClient:
    store = f"sqlite:///{reproduced}/mlruns/mlflow.db"
    return MlflowClient(store, store)


def runs_of(client: MlflowClient, experiment: str) -> list[Run]:
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def test_every_report_is_there_and_none_calls_the_sample_imdb(reproduced):
    reports = reproduced / "reports"
    names = ["data", "tokens", "comparison", "registered", "evaluation"]
    names += [f"{stage}/{name}" for stage in ("search", "train") for name in ARCHITECTURES]
    names += [f"train/{name}" for name in BASELINES]
    for name in names:
        assert (reports / f"{name}.json").is_file(), name
    for name in ("data", "tokens", "comparison", "registered", "evaluation"):
        assert read(reports / f"{name}.json")["dataset"] == "sample", name
    for path in [*reports.rglob("*.json"), *reports.rglob("*.md"), *reports.rglob("*.csv")]:
        said = path.read_text().lower().replace("imdb-bilstm", "")  # the registered model's name
        assert "imdb" not in said, path
    for path in ["comparison.png", *(f"evaluation/{name}.png" for name in ("roc", "confusion", "calibration"))]:
        assert (reports / path).stat().st_size > 1000, path
    page = (reports / "evaluation/index.html").read_text()
    assert "This is the generated sample, not IMDB" in page
    assert all(baseline in page for baseline in BASELINES)


def test_the_comparison_has_a_row_for_each_architecture_and_rival(reproduced):
    rows = read(reproduced / "reports/comparison.json")["architectures"]
    assert list(rows) == [*ARCHITECTURES, *BASELINES]
    for row in rows.values():
        assert row["test_accuracy_low"] < row["test_accuracy"] < row["test_accuracy_high"]
        assert row["parameters"] > 0
        assert row["train_seconds"] > 0
    for name in ARCHITECTURES:
        assert rows[name]["tokens_per_second"] > 0
        assert rows[name]["epoch_seconds"] > 0
    assert rows["bilstm"]["parameters"] > rows["rnn"]["parameters"]
    assert rows["bilstm"]["validation_loss"] is not None
    assert rows["bilstm_keras"]["validation_accuracy"] is None, "the document's protocol has no validation"
    assert all(f"| {name} |" in (reproduced / "reports/comparison.md").read_text() for name in rows)


def test_the_evaluation_equals_independent_lines_over_the_raw_test_texts(reproduced):
    report = read(reproduced / "reports/evaluation.json")
    done = run(reproduced, sys.executable, "-c", INDEPENDENT)
    assert done.returncode == 0, done.stderr
    right, count = map(int, done.stdout.split()[-2:])
    assert count == report["n"] == 80
    assert report["accuracy"] == right / count
    (tn, fp), (fn, tp) = report["confusion"]
    assert (tn + tp, tn + fp + fn + tp) == (right, count)
    low, high = report["accuracy_interval"]
    assert low < report["accuracy"] < high
    assert 0 <= report["roc_auc"] <= 1
    assert 0 <= report["f1"] <= 1
    assert report["log_loss"] > 0
    assert 0 < report["ece"] < 1


def test_dvc_draws_the_evaluation_with_titles_and_labels(reproduced):
    done = run(reproduced, "dvc", "plots", "show", "--json", "dvc.yaml")
    assert done.returncode == 0, done.stderr
    # dvc.yaml itself is among them, taken for data, without a chart
    shown = {name: plots[0] for name, plots in json.loads(done.stdout)["data"].items() if plots}
    assert shown["reports/evaluation/confusion.png"]["type"] == "image"
    curves = ("ROC curve on test", "Precision and recall on test", "Calibration on test")
    slices = tuple(f"Errors on test by {name}" for name in ("length", "negation", "contrast"))
    for name in curves + slices:
        chart = shown[name]["content"]
        assert chart["data"]["values"], name
        assert chart["title"]["text"].startswith("registered model: "), name
        for axis in ("x", "y"):
            assert chart["encoding"][axis]["title"] != chart["encoding"][axis]["field"], "a label in words"
    assert sum(int(row["reviews"]) for row in shown[slices[0]]["content"]["data"]["values"]) == 80


def test_the_best_candidate_is_the_registered_champion_with_its_tags(reproduced, client):
    registered, trained = (read(reproduced / f"reports/{name}.json") for name in ("registered", "train/bilstm"))
    version = client.get_model_version_by_alias("imdb-bilstm", "champion")
    assert str(version.version) == registered["version"] == "1"
    assert registered["architecture"] == "bilstm"
    assert registered["run_id"] == version.run_id == trained["seeds"][0]["run_id"]
    content_hashes = read(reproduced / "data/raw/dataset.json")["content_hashes"]
    evaluation = read(reproduced / "reports/evaluation.json")
    assert version.tags["dataset"] == "sample"
    assert version.tags["architecture"] == "bilstm"
    assert version.tags["data.content_hash"] == content_hashes["train"]
    assert version.tags["test.content_hash"] == content_hashes["test"]
    assert float(version.tags["test.accuracy"]) == pytest.approx(evaluation["accuracy"], abs=1e-6)
    assert float(version.tags["test.ece"]) == pytest.approx(evaluation["ece"], abs=1e-6)
    assert version.tags["temperature"] == str(registered["temperature"])
    assert version.tags["promotion"] == evaluation["verdict"] == "there was no champion"
    assert "NOT IMDB" in version.description
    assert evaluation["champion"] is True


def test_nothing_that_was_logged_is_a_pickle(reproduced):
    files = [path for path in (reproduced / "mlruns/artifacts").rglob("*") if path.is_file()]
    assert any(path.name == "model.safetensors" for path in files)
    assert any(path.name == "tokenizer.json" for path in files)
    assert not [path for path in files if path.suffix in {".pkl", ".pickle", ".pt", ".pth", ".ckpt", ".bin"}]
    assert not [path for path in files if path.read_bytes()[:1] == b"\x80"], "a pickle's first byte"


def test_each_training_is_one_run_that_shows_what_was_done(reproduced, client):
    runs = {run.data.tags["architecture"]: run for run in runs_of(client, "sample")}
    assert len(runs_of(client, "sample")) == len(runs)
    assert set(runs) == {*ARCHITECTURES, *BASELINES}
    commit = run(reproduced, "git", "rev-parse", "HEAD").stdout.strip()
    content_hash = read(reproduced / "data/raw/dataset.json")["content_hashes"]["train"]
    for name, found in runs.items():
        tags = found.data.tags
        assert found.info.status == "FINISHED"
        assert found.info.run_name == name
        assert (tags["dataset"], tags["data.content_hash"]) == ("sample", content_hash)
        assert (tags["mlflow.source.git.commit"], tags["git.dirty"]) == (commit, "false")
        assert found.inputs.dataset_inputs[0].dataset.name == "sample"
        assert 0 <= found.data.metrics["final_test_accuracy"] <= 1
    for found in (runs[name] for name in ARCHITECTURES):
        assert found.data.params["hidden_size"] == "6"
        assert len(client.get_metric_history(found.info.run_id, "train_loss")) == 2
        assert "learning_curves.png" in {file.path for file in client.list_artifacts(found.info.run_id)}
        assert any(metric.startswith("system/") for metric in found.data.metrics)
    steps = [metric.step for metric in client.get_metric_history(runs["bilstm"].info.run_id, "validation_loss")]
    assert len(steps) == len(set(steps)) == 2
    assert client.get_metric_history(runs["bilstm"].info.run_id, "train_loss_step")


def test_each_study_is_a_parent_run_with_a_child_for_each_trial(reproduced, client):
    runs = runs_of(client, "sample-search")
    parents = {run.info.run_id: run for run in runs if "mlflow.parentRunId" not in run.data.tags}
    assert sorted(run.data.tags["architecture"] for run in parents.values()) == ["bilstm", "rnn"]
    for run_id, parent in parents.items():
        children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == run_id]
        report = read(reproduced / f"reports/search/{parent.data.tags['architecture']}.json")
        assert len(children) == len(report["trials"]) == 2
        assert min(child.data.metrics["best_validation_loss"] for child in children) == report["best_validation_loss"]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_train_took_the_values_that_search_found(reproduced, client):
    best = read(reproduced / "searches/bilstm.json")
    assert set(best) == set(shrunk_values()["search"]["space"])
    (trained,) = (run for run in runs_of(client, "sample") if run.data.tags["architecture"] == "bilstm")
    assert {key: float(trained.data.params[key]) for key in best} == best
    assert read(reproduced / "searches/bilstm_keras.json") == {}


def test_a_second_repro_runs_nothing(reproduced):
    done = run(reproduced, "dvc", "repro")
    assert done.returncode == 0
    assert "Data and pipelines are up to date." in done.stdout
    assert "Running stage" not in done.stdout


def test_a_repro_with_nothing_to_do_imports_nothing_heavy(reproduced):
    watched = "import sys; from dvc.cli import main; print(main(['repro']), *sys.modules)"
    done = run(reproduced, sys.executable, "-c", watched)
    *said, loaded = done.stdout.splitlines()
    assert said[-1] == "Data and pipelines are up to date."
    status, *modules = loaded.split()
    assert status == "0"
    heavy = {"torch", "pytorch_lightning", "mlflow", "optuna", "datasets", "sklearn", "matplotlib", "pandas", "numpy"}
    assert not heavy & set(modules)


def stages_in(said: str) -> set[str]:
    """The stages that `dvc repro` says it runs."""
    return {line.split("'")[1] for line in said.splitlines() if line.startswith("Running stage")}


def test_a_changed_architecture_runs_itself_and_what_follows(reproduced):
    path = reproduced / "params.yaml"
    before = path.read_text()
    values = YAML(typ="safe").load(before)
    values["models"]["rnn"]["hidden_size"] = 7
    write_params(values, reproduced)
    try:
        changed = run(reproduced, "dvc", "repro", "--dry").stdout
        follows = run(reproduced, "dvc", "repro", "--dry", "--force-downstream").stdout
        status = json.loads(run(reproduced, "dvc", "status", "--json", "dvc.yaml").stdout)
    finally:
        path.write_text(before)
    assert stages_in(changed) == {"search@rnn", "train@rnn", "register"}  # any of them may say `average`
    assert stages_in(follows) == {"search@rnn", "train@rnn", "compare", "register", "evaluate"}
    assert set(status) == {"search@rnn", "train@rnn", "register"}


def test_a_changed_rival_runs_itself_and_what_follows(reproduced):
    path = reproduced / "params.yaml"
    before = path.read_text()
    values = YAML(typ="safe").load(before)
    values["linear"]["nb_logistic"]["min_df"] = 3
    write_params(values, reproduced)
    try:
        changed = run(reproduced, "dvc", "repro", "--dry").stdout
        follows = run(reproduced, "dvc", "repro", "--dry", "--force-downstream").stdout
    finally:
        path.write_text(before)
    assert stages_in(changed) == {"linear@nb_logistic"}
    assert stages_in(follows) == {"linear@nb_logistic", "predict@nb_logistic", "compare", "register", "evaluate"}


def test_an_unknown_key_is_one_line_and_writes_nothing(tmp_path):
    values = shrunk_values()
    values["model"]["hiden_size"] = 3
    write_params(values, tmp_path)
    done = run(tmp_path, sys.executable, "-m", "pipeline.download")
    assert done.returncode != 0
    assert done.stderr.startswith("error: params.yaml: ")
    assert "hiden_size: unknown key" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_an_unknown_architecture_is_one_line_and_writes_nothing(reproduced, client):
    before = sorted(path for path in (reproduced / "reports").rglob("*"))
    done = run(reproduced, sys.executable, "-m", "pipeline.train", "nosuch")
    assert done.returncode != 0
    assert done.stderr.startswith("error: no architecture nosuch in params.yaml; there are rnn, ")
    assert done.stderr.count("\n") == 1
    assert sorted(path for path in (reproduced / "reports").rglob("*")) == before
    assert not (reproduced / "models/nosuch").exists()
    assert len(runs_of(client, "sample")) == len(ARCHITECTURES) + len(BASELINES)


def test_a_dead_store_is_one_line_and_writes_nothing(reproduced):
    report = reproduced / "reports/registered.json"
    before = (report.read_bytes(), report.stat().st_mtime_ns)
    dead = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = run(reproduced, sys.executable, "-m", "pipeline.register", **dead)
    assert done.returncode != 0
    said = done.stderr.strip().splitlines()
    assert said[-1].startswith("error: MLflow's store http://127.0.0.1:1 does not answer")
    assert "Traceback" not in done.stderr
    assert (report.read_bytes(), report.stat().st_mtime_ns) == before


def test_a_stage_without_its_inputs_is_one_line(tmp_path):
    write_params(shrunk_values(), tmp_path)
    done = run(tmp_path, sys.executable, "-m", "pipeline.tokenize")
    assert done.returncode != 0
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


def test_the_best_models_pipeline_and_the_main_one_leave_each_other_alone(reproduced):
    assert [path.name for path in (reproduced / "best").iterdir()] == ["dvc.yaml"], "the first repro did not run it"
    done = run(reproduced, "dvc", "repro", "best/dvc.yaml")
    assert done.returncode == 0, done.stderr
    assert stages_in(done.stdout) == {
        f"best/dvc.yaml:{stage}"
        for stage in ("pretrain", "teach-pupil", "train-pupil", "teach-best", "train-best", "register", "evaluate")
    }
    assert (reproduced / "best/models/best/seed-1/model.safetensors").is_file()
    assert "Running stage" not in run(reproduced, "dvc", "repro").stdout
    assert "Running stage" not in run(reproduced, "dvc", "repro", "best/dvc.yaml").stdout
