"""One real run of the pipeline, from raw reviews to the champion, and what a second one does."""

import json
import sys
from pathlib import Path

import pytest
from conftest import NAME, shrunk_values, write_params
from mlflow import MlflowClient
from mlflow.entities import Run
from project import ARCHITECTURES, BASELINES, REPORTS, run, stages_in, succeed, values

INDEPENDENT = f"""
import mlflow, pyarrow.parquet as parquet
mlflow.set_tracking_uri("sqlite:///mlruns/mlflow.db")
model = mlflow.pyfunc.load_model("models:/{NAME}@champion")
test = parquet.read_table("data/raw/test.parquet").to_pydict()
predicted = model.predict(test["texts"])
print(sum((row["label"] == "positive") == label for row, label in zip(predicted, test["labels"])), len(predicted))
"""


def read(path: Path) -> dict:
    return json.loads(path.read_text())


@pytest.fixture(scope="module")
def client(reproduced: Path) -> MlflowClient:
    store = f"sqlite:///{reproduced}/mlruns/mlflow.db"
    return MlflowClient(store, store)


def runs_of(client: MlflowClient, experiment: str) -> list[Run]:
    return list(client.search_runs([client.get_experiment_by_name(experiment).experiment_id]))


def changed_stages(project: Path, values: dict, *arguments: str) -> set[str]:
    """The stages that `dvc repro` would run with other parameters."""
    path = project / "params.yaml"
    before = path.read_text()
    write_params(values, project)
    try:
        return stages_in(succeed(project, "dvc", "repro", "--dry", *arguments))
    finally:
        path.write_text(before)


def test_every_report_is_there_and_none_calls_the_synthetic_corpus_imdb(reproduced):
    reports = reproduced / "reports"
    names = ["data", "tokens", "word_vectors", "comparison", "registered", "evaluation"]
    for name in [*names, *(f"search/{name}" for name in ARCHITECTURES)]:
        assert (reports / f"{name}.json").is_file(), name
    for name in REPORTS.values():
        assert (reproduced / f"{name}.json").is_file(), name
    for name in names:
        assert read(reports / f"{name}.json")["dataset"] == "synthetic", name
    for path in [*reports.rglob("*.json"), *reports.rglob("*.md"), *reports.rglob("*.csv")]:
        assert "imdb" not in path.read_text().lower(), path
    for path in ["comparison.png", *(f"evaluation/{name}.png" for name in ("roc", "confusion", "calibration"))]:
        assert (reports / path).stat().st_size > 1000, path
    page = (reports / "evaluation.html").read_text()
    assert "synthetic" in page
    assert all(baseline in page for baseline in BASELINES)


def test_the_comparison_has_a_row_for_each_architecture_and_baseline(reproduced):
    rows = read(reproduced / "reports/comparison.json")["architectures"]
    assert list(rows) == [*ARCHITECTURES, *BASELINES]
    for row in rows.values():
        assert row["test_accuracy_low"] < row["test_accuracy"] < row["test_accuracy_high"]
        assert row["parameters"] > 0
        assert row["train_seconds"] > 0
    for name in ARCHITECTURES:
        assert rows[name]["tokens_per_second"] > 0
        assert rows[name]["epoch_seconds"] > 0
    assert rows["bilstm"]["validation_loss"] is not None
    assert rows["bilstm_keras"]["validation_accuracy"] is None, "the reference script has no validation split"
    assert all(f"| {name} |" in (reproduced / "reports/comparison.md").read_text() for name in rows)


def test_the_evaluation_equals_independent_lines_over_the_raw_test_texts(reproduced):
    report = read(reproduced / "reports/evaluation.json")
    correct, count = map(int, succeed(reproduced, sys.executable, "-c", INDEPENDENT).split()[-2:])
    assert count == report["n"] == 80
    assert report["accuracy"] == correct / count
    (tn, fp), (fn, tp) = report["confusion"]
    assert (tn + tp, tn + fp + fn + tp) == (correct, count)
    low, high = report["accuracy_interval"]
    assert low < report["accuracy"] < high
    assert 0 <= report["roc_auc"] <= 1
    assert 0 <= report["f1"] <= 1
    assert report["log_loss"] > 0
    assert 0 < report["ece"] < 1


def test_the_trained_candidate_is_the_registered_champion_with_its_tags(reproduced, client):
    registered = read(reproduced / "reports/registered.json")
    trained = read(reproduced / f"{REPORTS['bilstm']}.json")
    version = client.get_model_version_by_alias(NAME, "champion")
    assert str(version.version) == registered["version"] == "1"
    assert registered["architecture"] == "bilstm"
    assert registered["run_id"] == version.run_id == trained["seeds"][0]["run_id"]
    content_hashes = read(reproduced / "data/raw/dataset.json")["content_hashes"]
    evaluation = read(reproduced / "reports/evaluation.json")
    assert version.tags["dataset"] == "synthetic"
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
    found = [run for run in runs_of(client, "synthetic") if "architecture" in run.data.tags]
    runs = {run.data.tags["architecture"]: run for run in found}
    assert len(runs) == len(found)
    assert set(runs) == {*ARCHITECTURES, *BASELINES}
    commit = run(reproduced, "git", "rev-parse", "HEAD").stdout.strip()
    content_hash = read(reproduced / "data/raw/dataset.json")["content_hashes"]["train"]
    for name, found in runs.items():
        tags = found.data.tags
        assert found.info.status == "FINISHED"
        assert found.info.run_name == name
        assert (tags["dataset"], tags["data.content_hash"]) == ("synthetic", content_hash)
        assert (tags["mlflow.source.git.commit"], tags["git.dirty"]) == (commit, "false")
        assert found.inputs.dataset_inputs[0].dataset.name == "synthetic"
        assert 0 <= found.data.metrics["final_test_accuracy"] <= 1
    for found in (runs[name] for name in ARCHITECTURES):
        assert found.data.params["hidden_size"] == "6"
        assert len(client.get_metric_history(found.info.run_id, "train_loss")) == 2
        assert "learning_curves.png" in {file.path for file in client.list_artifacts(found.info.run_id)}
        assert any(metric.startswith("system/") for metric in found.data.metrics)
    steps = [metric.step for metric in client.get_metric_history(runs["bilstm"].info.run_id, "validation_loss")]
    assert len(steps) == len(set(steps)) == 2
    assert client.get_metric_history(runs["bilstm"].info.run_id, "train_loss_step")


def test_a_study_is_a_parent_run_with_a_child_for_each_trial(reproduced, client):
    runs = runs_of(client, "synthetic-search")
    (parent,) = [run for run in runs if "mlflow.parentRunId" not in run.data.tags]
    assert parent.data.tags["architecture"] == "bilstm"
    children = [run for run in runs if run.data.tags.get("mlflow.parentRunId") == parent.info.run_id]
    report = read(reproduced / "reports/search/bilstm.json")
    assert len(children) == len(report["trials"]) == 2
    assert min(child.data.metrics["best_validation_loss"] for child in children) == report["best_validation_loss"]
    assert {run.info.status for run in runs} == {"FINISHED"}


def test_train_took_the_values_that_search_found(reproduced, client):
    best = read(reproduced / "searches/bilstm.json")
    assert set(best) <= set(shrunk_values()["search"]["space"])
    (trained,) = (run for run in runs_of(client, "synthetic") if run.data.tags.get("architecture") == "bilstm")
    assert {key: float(trained.data.params[key]) for key in best} == best
    assert read(reproduced / "searches/bilstm_keras.json") == {}, "it is not in search.architectures"


def test_a_second_repro_runs_nothing_and_imports_nothing_heavy(reproduced):
    watched = "import sys; from dvc.cli import main; print(main(['repro', 'compare', 'evaluate']), *sys.modules)"
    *lines, loaded = succeed(reproduced, sys.executable, "-c", watched).splitlines()
    assert lines[-1] == "Data and pipelines are up to date."
    assert not stages_in("\n".join(lines))
    status, *modules = loaded.split()
    assert status == "0"
    heavy = {"torch", "pytorch_lightning", "mlflow", "optuna", "datasets", "sklearn", "matplotlib", "pandas", "numpy"}
    assert not heavy & set(modules)


def test_a_changed_architecture_or_baseline_runs_itself_and_what_follows(reproduced):
    changed = values()
    changed["models"]["bilstm_keras"]["hidden_size"] = 7
    itself = {"search@bilstm_keras", "train@bilstm_keras"}
    assert changed_stages(reproduced, changed, "compare", "evaluate") == itself
    assert changed_stages(reproduced, changed, "--force-downstream", "compare", "evaluate") == itself | {"compare"}

    changed = values()
    changed["baselines"]["nb_logistic"]["min_df"] = 3
    itself = {"baseline@nb_logistic"}
    follows = itself | {"baseline_predictions@nb_logistic", "compare", "evaluate"}
    assert changed_stages(reproduced, changed, "compare", "evaluate") == itself
    assert changed_stages(reproduced, changed, "--force-downstream", "compare", "evaluate") == follows


def test_each_end_of_the_pipeline_runs_only_what_it_needs(reproduced):
    data = {"download", "tokenize", "word_vectors"}
    baselines = {f"baseline@{name}" for name in BASELINES}
    predictions = {f"baseline_predictions@{name}" for name in BASELINES}
    family = {f"{stage}@{name}" for stage in ("search", "train") for name in ARCHITECTURES}
    assert changed_stages(reproduced, values(), "--force", "compare") == data | baselines | family | {"compare"}

    ends = data | baselines | predictions | {"register", "evaluate"}
    assert changed_stages(reproduced, values(), "--force", "evaluate") == ends | {"search@bilstm", "train@bilstm"}

    distilled = values()
    distilled["registry"]["candidate"] = "distilled/best"
    path = {f"{stage}_{name}" for stage in ("pseudo_label", "train") for name in ("student", "best")}
    assert changed_stages(reproduced, distilled, "--force", "evaluate") == ends | path


@pytest.mark.parametrize(("section", "key"), [("models", "cell"), ("tokenizer", "min_frequency")])
def test_a_mistyped_value_is_one_line_and_costs_no_tracked_file(section, key, reproduced):
    before = {path: path.read_bytes() for path in tracked_files(reproduced)}
    wrong = values()
    (wrong["models"]["bilstm"] if section == "models" else wrong[section])[key] = "grru"
    params = reproduced / "params.yaml"
    text = params.read_text()
    write_params(wrong, reproduced)
    try:
        done = run(reproduced, "dvc", "repro", "compare", "evaluate")
    finally:
        params.write_text(text)
    assert done.returncode != 0
    (error,) = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert f"{section}.{'bilstm.' * (section == 'models')}{key}: " in error
    assert {path: path.read_bytes() for path in tracked_files(reproduced)} == before
    succeed(
        reproduced, "dvc", "checkout", "--force", "--with-deps", "compare", "evaluate"
    )  # the cached outs of a stage that ran are removed, and come back
    assert "up to date" in succeed(reproduced, "dvc", "status", "compare", "evaluate")


def tracked_files(project: Path) -> list[Path]:
    """What git would commit besides params.yaml."""
    listed = succeed(project, "git", "ls-files", "--cached", "--others", "--exclude-standard").splitlines()
    return [project / name for name in listed if name != "params.yaml" and (project / name).is_file()]


def test_an_unknown_key_is_one_line_and_writes_nothing(tmp_path):
    wrong = shrunk_values()
    wrong["model"]["hiden_size"] = 3
    write_params(wrong, tmp_path)
    done = run(tmp_path, sys.executable, "-m", "pipeline.download")
    assert done.returncode == 1
    assert done.stderr.startswith("error: params.yaml: ")
    assert "hiden_size: unknown key" in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["params.yaml"]


def test_a_dead_store_is_one_line_and_writes_nothing(reproduced):
    report = reproduced / "reports/registered.json"
    before = (report.read_bytes(), report.stat().st_mtime_ns)
    dead = {"MLFLOW_TRACKING_URI": "http://127.0.0.1:1", "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0"}
    done = run(reproduced, sys.executable, "-m", "pipeline.register", **dead)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith(
        "error: MLflow's store http://127.0.0.1:1: [Errno 111] Connection refused: "
    )
    assert "Traceback" not in done.stderr
    assert (report.read_bytes(), report.stat().st_mtime_ns) == before
