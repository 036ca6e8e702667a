"""A small project whose claims are measured in seconds, and made-up results of its experiments."""

import shutil
from pathlib import Path
from typing import Any

import torch
from conftest import shrunk_values, write_params

from sentiment_rnn import params
from sentiment_rnn.studies.claims import timing
from sentiment_rnn.studies.claims.accuracy import BLOCKS, WORD_VECTORS
from sentiment_rnn.studies.claims.measure import QUICK, Study, make_context
from sentiment_rnn.studies.claims.plan import candidates, with_learning_rate, with_seeds
from sentiment_rnn.studies.claims.summary import Result, save
from sentiment_rnn.studies.experiment import CachedExperiment, Context
from sentiment_rnn.training import pretrained

SIZES = {"hidden_size": 6, "embedding_size": 8, "batch_size": 8, "word_vectors": False}
QUICKLY: dict[str, Any] = {
    "workers": 1,
    "learning_rates": [0.003, 0.01],
    "accuracy": {
        "pilot_seeds": 3, "max_seeds": 3, "reviews": 120, "test_reviews": 60, "learning_curve": [60], "min_steps": 1,
        "pretraining_reviews": 20, "model": {"max_length": 24, "max_epochs": 1},
    },
    "memory": {
        "seeds": 3, "max_steps": 30, "lengths": {"adding": [6, 10], "copy": [4], "long-range": [5]}, "reviews": 60,
        "model": SIZES,
    },
    "reservoir": {"seeds": 3, "spectral_radii": [0.5, 1.0, 2.0], "model": {"hidden_size": 10}},
}  # fmt: skip


def make_project(folder: Path, tokens: Path) -> params.Params:
    """Write params.yaml, tokens and word vectors to `folder`, the present one; its params with the quick claims."""
    values = shrunk_values()
    values["claims"]["quick"] = QUICKLY
    write_params(values, folder)
    shutil.copytree(tokens, folder / "data/tokens")
    (folder / "work/claims").mkdir(parents=True)
    loaded = params.load()
    vectors = torch.zeros(loaded.tokenizer.vocab_size, loaded.model.embedding_size)
    pretrained.save({pretrained.EMBEDDING: vectors}, {}, Path("data/tokens"), WORD_VECTORS)
    return loaded.model_copy(update={"claims": loaded.claims.quickly()})


def context(chosen: params.Params) -> Context:
    """Where its experiments run."""
    return make_context(chosen)


def made_up(chosen: params.Params, differences: dict[str, float]) -> dict[str, Result]:
    """A result of every experiment by its key, with these differences in accuracy from 80%, in percentage points."""
    study = Study(chosen, context(chosen), QUICK)
    experiments: list[CachedExperiment] = [
        one for tried in candidates(study.plan, chosen.claims).values() for one in tried
    ]
    for name, experiment in study.plan.experiments.items():
        rate = min(chosen.claims.learning_rates)  # the first of equals is selected
        rated = with_learning_rate(experiment, rate) if name in study.plan.tuned_as else experiment
        experiments += with_seeds(rated, 3)
    found = {one.key(study.context): _result(one, differences) for one in experiments}
    for setting in timing.settings(chosen.trainer):
        metrics, series = {}, {}
        for name in study.models:
            metrics |= {name + timing.TOKENS: 100.0, name + timing.ACTIVATIONS: 1.0}
            metrics[name + timing.WEIGHTS] = {"lstm": 400.0, "gru": 300.0}.get(name, 500.0)
            slow = 2.0 if name == "bilstm" else 1.0
            series[name + timing.SECONDS] = {step: slow * (1 + 0.001 * step) for step in range(4)}
        key = timing.cost_key(study.models, setting)
        found[key] = Result(f"cost, {setting.label()}", 0, metrics, series, ["run-cost"])
    return found


def write_results(results: dict[str, Result]) -> None:
    """Commit them, as it were."""
    save(results, QUICK / "claims/experiments.jsonl")


def _result(experiment: CachedExperiment, differences: dict[str, float]) -> Result:
    noise = 0.02 * experiment.seed
    accuracy = 0.8 + differences.get(experiment.name, 0.0) * (1 + noise) / 100
    lstm = experiment.model.cell == "lstm"
    decay = 0.9 if lstm else 0.3 - noise / 10
    norms = {step: decay**step for step in (0, 1, 2, 5)}
    return Result(
        experiment.name,
        experiment.seed,
        {
            "test_accuracy": accuracy, "weights": 100.0, "final_validation_loss": 0.5, "solved": float(lstm),
            "steps": 20.0 + experiment.seed,
            "memory_capacity": 10.0 - abs(experiment.model.echo_state.spectral_radius - 1),
        },
        {
            "test_block_accuracy": dict.fromkeys(range(BLOCKS), accuracy), "error": {10: 0.1},
            "gradient_norm": norms, "gradient_norm_initial": norms,
        },
        [f"run-{experiment.name}-{experiment.seed}"],
    )  # fmt: skip
