"""The stage behaviour on two networks and the baselines."""

import pytest
from conftest import save_untrained, shrunk_values, write_params
from mlflow import MlflowClient

from pipeline import baseline, behaviour
from sentiment_rnn.data.store import load_identity
from sentiment_rnn.files import read_json, write_json
from sentiment_rnn.inference.predictor import Predictor
from sentiment_rnn.tracking import runs


@pytest.fixture
def stage(client: MlflowClient, tokens, tmp_path) -> MlflowClient:
    """The stage, run in a project whose `gru` has a run and whose `bilstm` has lost its own."""
    write_params(shrunk_values() | {"architectures": ["bilstm", "gru"]}, tmp_path)
    (tmp_path / "data").symlink_to(tokens.parent)
    run_id = runs.start(client, "synthetic", "gru", params={}, tags={}, identity=load_identity(tokens))
    for name in ("bilstm", "gru"):
        save_untrained(name, tmp_path / f"models/family/{name}/seed-7")
        seeds = [{"seed": 7, "run_id": run_id if name == "gru" else "0" * 32}]
        write_json(f"reports/train/family/{name}.json", {"architecture": name, "seeds": seeds})
    for name in ("tfidf_logistic", "nb_logistic"):
        baseline.main(name)
    behaviour.main()
    return client


def test_every_model_has_its_failure_rates_in_the_reports_and_in_its_run(stage, tokens):
    report = read_json("reports/behaviour.json")
    models = report["models"]
    assert (report["dataset"], set(models)) == ("synthetic", {"bilstm", "gru", "tfidf_logistic", "nb_logistic"})
    gru = {row["capability"]: row["failure_rate"] for row in models["gru"]["capabilities"]}
    (run,) = stage.search_runs([stage.get_experiment_by_name("synthetic").experiment_id], "tags.mlflow.runName = 'gru'")
    assert run.data.metrics["behaviour_failure_rate_neutral_words"] == gru["neutral words"]
    predictor = Predictor("models/family/gru/seed-7", tokens / "tokenizer.json")
    (probability,) = predictor.predict_probabilities(["Not bad at all."])
    assert models["gru"]["first_sentences"][0]["probability"] == pytest.approx(probability)

    with open("reports/behaviour.md") as file:
        table = file.read()
    order = sorted(
        models,
        key=lambda name: next(r["failure_rate"] for r in models[name]["capabilities"] if r["capability"] == "negation"),
    )
    assert [line.split("|")[1].strip() for line in table.splitlines() if line.startswith("| ")][1:] == order
    assert "Data set: synthetic." in table
    assert all(f"| {100 * rate:.1f} " in table for rate in gru.values())
