"""An ablation's trainings and its table: each variant is compared with the unchanged model of the same seed."""

import re
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from conftest import shrunk_values, write_params
from mlflow import MlflowClient

from sentiment_rnn import params
from sentiment_rnn.data.batches import Encoding
from sentiment_rnn.data.dataset import TokenizedReviews
from sentiment_rnn.errors import UserError
from sentiment_rnn.studies.ablation import report
from sentiment_rnn.studies.ablation.variant import FAILURE_RATE, UNCHANGED, Variant, plan
from sentiment_rnn.studies.experiment import Context, finished_runs
from sentiment_rnn.training import distillation, pretrained

PARAMS = params.Params.model_validate(shrunk_values())


def planned(name: str, seed: int = 1) -> Variant:
    return next(found for found in plan(PARAMS) if found.name == name and found.seed == seed)


def without_word_vectors(variant: Variant) -> Variant:
    return variant.model_copy(update={"model": params.updated(variant.model, {"word_vectors": False})})


@pytest.fixture
def context(client: MlflowClient, project: Path, tokens: Path) -> Context:
    """A project with pseudo-labels; the test runs in it."""
    unlabeled = TokenizedReviews(tokens, ["unsupervised"], Encoding(**PARAMS.model_of("best").encoding()))
    for name in ("student", "best"):
        positive = np.linspace(0.1, 0.9, len(unlabeled)) + (name == "best") / 20
        distillation.save(positive, tokens, Path("data/pseudo_labels", name))
    return Context(PARAMS.trainer, tokens, Path("work/ablation"), "ablation")


def test_each_seed_has_the_unchanged_model_and_each_variant_with_its_one_change():
    found = plan(PARAMS)
    assert len(found) == 3 * (1 + len(PARAMS.ablation.variants))
    unchanged = planned(UNCHANGED).model.model_dump()
    for variant in found:
        changed = {key for key, value in variant.model.model_dump().items() if value != unchanged[key]}
        assert changed - {"patience"} == set(PARAMS.ablation.variants.get(variant.name, {}))
        assert variant.model.patience == variant.model.max_epochs, "the last epoch counts"
    assert planned("linear teacher only").pseudo_labels == Path("data/pseudo_labels/student")
    assert planned(UNCHANGED).pseudo_labels == Path("data/pseudo_labels/best")


def test_each_variant_is_trained_with_its_own_inputs_and_found_by_its_key(context, client):
    embedding = torch.randn(500, 8, generator=torch.Generator().manual_seed(1))
    pretrained.save({pretrained.EMBEDDING: embedding}, {}, context.tokens, Path("data/word_vectors"))
    names = (UNCHANGED, "linear teacher only", "no teachers, four epochs", "no word vectors")
    variants = [planned(name) for name in names]
    run_ids = [variant.run(context) for variant in variants]
    finished = finished_runs(client, context)
    assert [finished[variant.key(context)].info.run_id for variant in variants] == run_ids
    metrics = [finished[variant.key(context)].data.metrics for variant in variants]
    assert len({run["final_validation_loss"] for run in metrics}) == 4
    assert not any(key.startswith("test") for run in metrics for key in run)
    assert all(0 < run[f"{FAILURE_RATE}minimum_functionality"] < 1 for run in metrics)
    assert all(0 <= run[f"{FAILURE_RATE}invariance"] < 1 for run in metrics)


def test_word_vectors_and_pseudo_labels_are_part_of_the_key(context):
    variant = planned(UNCHANGED)
    with pytest.raises(UserError, match="data/word_vectors is missing"):
        variant.key(context)
    variant = without_word_vectors(variant)
    before = variant.key(context)
    distillation.save(np.full(20, 0.3), context.tokens, variant.pseudo_labels)
    assert variant.key(context) != before


def test_a_row_has_the_differences_from_the_unchanged_model_seed_by_seed(context):
    variants = [without_word_vectors(variant) for variant in plan(PARAMS) if variant.name in (UNCHANGED, "200 tokens")]
    metrics = {
        (UNCHANGED, 1): (0.90, 0.30), (UNCHANGED, 2): (0.92, 0.28), (UNCHANGED, 3): (0.91, 0.26),
        ("200 tokens", 1): (0.89, 0.33), ("200 tokens", 2): (0.90, 0.30), ("200 tokens", 3): (0.91, 0.30),
    }  # fmt: skip
    finished = {}
    for variant in variants:
        accuracy, loss = metrics[variant.name, variant.seed]
        seconds = 20.0 if variant.name == UNCHANGED else 10.0
        run = {"final_validation_accuracy": accuracy, "final_validation_loss": loss, "train_seconds": seconds}
        run |= {f"{FAILURE_RATE}minimum_functionality": 1 - accuracy, f"{FAILURE_RATE}invariance": loss / 10}
        finished[variant.key(context)] = SimpleNamespace(data=SimpleNamespace(metrics=run))
    unchanged, short = report.rows(variants, finished, context)
    assert (unchanged.name, short.name) == (UNCHANGED, "200 tokens")
    assert short.accuracy_diff.values == pytest.approx([-1, -2, 0])
    assert short.loss_diff.values == pytest.approx([0.03, 0.02, 0.04])
    assert short.time_ratio.mean == pytest.approx(0.5)
    assert short.accuracy == pytest.approx(0.9)
    low, high = short.loss_diff.interval
    assert high - low == pytest.approx(2 * 4.302653 * 0.01 / 3**0.5), "Student's t, two degrees of freedom"
    table = report.markdown([unchanged, short], PARAMS.ablation, "imdb", context)
    assert re.search(
        r"\| 200 tokens \| 90\.00 \| -1\.00 .* \| 0\.3100 \| \+0\.0300 .* \| 10\.0 \| \+1\.00 .* "
        r"\| 3\.1 \| 10 \| 0\.50 \|",
        table,
    )
    assert "Not measured: no word vectors; no teachers, four epochs; linear teacher only; no bigrams;" in table
    assert report.values([unchanged, short])["200 tokens"]["loss_diff"][0] == pytest.approx(0.03)
    assert [text.get_text() for text in report.plot([unchanged, short]).axes[0].get_yticklabels()] == ["200 tokens"]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"hidden_size": 0}, "ablation.variants.odd: hidden_size"),
        ({"protocol": "keras_reference"}, "ablation.variants.odd: protocol cannot differ between variants"),
        ({"vocab_size": 501}, "ablation.variants.odd.vocab_size: 501 is above tokenizer.vocab_size"),
        ({"color": 1}, "ablation.variants.odd: color"),
        ({"teachers": ["tfidf_logistic"]}, "odd.teachers: no entry of models has exactly these"),
    ],
)
def test_an_invalid_variant_is_refused_before_anything_runs(changes, message, tmp_path):
    values = shrunk_values()
    values["ablation"]["variants"] = {"odd": changes}
    with pytest.raises(UserError, match=re.escape(message)):
        params.load(write_params(values, tmp_path))
